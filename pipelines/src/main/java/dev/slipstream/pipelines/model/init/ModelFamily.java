package dev.slipstream.pipelines.model.init;

import dev.slipstream.pipelines.model.ModelException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Models that differ in their parts and blocks, not in their weights only. */
public enum ModelFamily {
    /** Stable Diffusion 1.x. */
    SD15,
    /** Stable Diffusion 2.x, which predicts velocities. */
    SD21,
    /** Stable Diffusion XL, with two text encoders. */
    SDXL,
    /** The second stage of SDXL, which has the larger text encoder only. */
    SDXL_REFINER,
    /** Stable Diffusion 1.x that reads a mask and the rest of a picture, too. */
    INPAINT,
    /** The upscaler of Stable Diffusion 2, which reads a small picture, too. */
    X4_UPSCALER;

    /** What people call it, for example {@code sdxl-refiner}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The ids of all families. */
    public static List<String> ids() {
        return Arrays.stream(values()).map(ModelFamily::id).toList();
    }

    /** @throws ModelException if there is no family of this id */
    public static ModelFamily of(String id) {
        return Arrays.stream(values()).filter(family -> family.id().equals(id)).findFirst()
            .orElseThrow(() -> new ModelException("there is no family of models '" + id + "'; there are "
                + String.join(", ", ids())));
    }
}
