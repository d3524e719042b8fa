package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.lora.Lora.WeightedLora;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.util.ArrayList;
import java.util.List;

/**
 * The LoRAs that a model is to be opened with. Immutable; safe for any thread.
 *
 * <pre>{@code
 * Loras loras = Loras.NONE.and(Lora.read(Path.of("style.safetensors")), 0.8);
 * DiffusionPipeline pipeline = DiffusionPipeline.of(model).loras(loras).open();
 * }</pre>
 *
 * @param list their changes add up, so the order does not matter
 * @param store where merged weights are kept
 * @param lenient whether tensors that are no part of a layer, and layers that the model does not have, are left out
 *     instead of refused
 */
public record Loras(List<WeightedLora> list, WeightStore store, boolean lenient) {
    /** No change at all. */
    public static final Loras NONE = new Loras(List.of(), WeightStore.ofUser(), false);

    public Loras {
        list = List.copyOf(list);
    }

    public Loras and(Lora lora, double weight) {
        List<WeightedLora> more = new ArrayList<>(list);
        more.add(new WeightedLora(lora, weight));
        return new Loras(more, store, lenient);
    }

    /** With all parts of an adapter. @param parts of {@link Lora#readAll} */
    public Loras and(List<Lora> parts, double weight) {
        Loras more = this;
        for (Lora part : parts) {
            more = more.and(part, weight);
        }
        return more;
    }

    /** With another place for merged weights. */
    public Loras storedIn(WeightStore place) {
        return new Loras(list, place, lenient);
    }

    /** @param ignored whether what the model does not have is left out */
    public Loras ignoringUnknown(boolean ignored) {
        return new Loras(list, store, ignored);
    }

    /** For a model that is being opened; the owner of the model closes it with the model. */
    public OpenLoras open() {
        return new OpenLoras(list, store, lenient);
    }
}
