package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one LoRA does to one weight.
 *
 * @param weight how much of it is wanted
 */
record Change(Lora lora, LoraLayer layer, double weight) {
    /** @throws ModelException if it is for a weight of another shape */
    void checkFits(String name, Shape shape) {
        if (!layer.fits(shape)) {
            String tensors = Stream.concat(layer.factors().tensors().stream(),
                layer.decomposition().stream().map(Decomposition::lengths))
                .map(Factors.Factor::toString).collect(Collectors.joining(" and "));
            throw new ModelException(lora.path() + " is for another model: " + tensors + " do not fit " + name + " "
                + shape);
        }
    }

    boolean isNothing() {
        return weight == 0 || layer.changesNothing();
    }
}
