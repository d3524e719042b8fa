package dev.slipstream.pipelines.model.lora;

/**
 * A LoRA and how much of it is wanted.
 *
 * @param weight 1 as it was trained, 0 for nothing, negative for the opposite
 */
public record WeightedLora(Lora lora, double weight) {
    public WeightedLora {
        if (!Double.isFinite(weight)) {
            throw new IllegalArgumentException("the weight of " + lora.path() + " must be a number, not " + weight);
        }
    }

    /** As the command line takes it, without the folder: {@code style.safetensors:0.8}. */
    @Override
    public String toString() {
        return lora.name() + ":" + weight;
    }
}
