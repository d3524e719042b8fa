package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.SafetensorsFile;
import java.util.Optional;

/**
 * The change of a layer's weight or bias.
 *
 * @param factors from which it is computed
 * @param scale of what they give: alpha / rank as a rule; 1 where the file says no alpha, or nothing is factored
 * @param decomposition of the changed weight, for DoRA
 */
public record LoraLayer(Factors factors, double scale, Optional<Decomposition> decomposition) {
    /** The tensor by which it is called in messages. */
    String name() {
        return factors.tensors().getFirst().name();
    }

    boolean fits(Shape weight) {
        return factors.fits(weight) && decomposition.map(it -> it.fits(weight)).orElse(true);
    }

    boolean changesNothing() {
        return scale == 0 && decomposition.isEmpty();
    }

    /** What it adds to the weight {@code base}, times {@code weight}. */
    Rows rows(SafetensorsFile file, float[] base, Shape shape, double weight) {
        return decomposition
            .map(it -> it.rows(Rows.of(factors, file, scale), base, shape, file, weight))
            .orElseGet(() -> Rows.of(factors, file, weight * scale));
    }
}
