package dev.slipstream.pipelines.model.init;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Families of models, which differ in their parts and blocks and not only in their weights. */
public enum ModelFamily {
    /** Stable Diffusion 1.x. */
    SD15,
    /** Stable Diffusion 2.x, which predicts velocities. */
    SD21,
    /** Stable Diffusion XL, with two text encoders. */
    SDXL,
    /** The second stage of SDXL, which has the larger text encoder only. */
    SDXL_REFINER,
    /** Stable Diffusion 1.x that also reads a mask and the rest of a picture. */
    INPAINT,
    /** The upscaler of Stable Diffusion 2, which also reads a small picture. */
    X4_UPSCALER,
    /** Stable Diffusion 3, a transformer with three text encoders. */
    SD3_MEDIUM,
    /** Stable Diffusion 3.5, whose first blocks look at the picture twice. */
    SD35_MEDIUM,
    SD35_LARGE,
    /** FLUX.1, a transformer that was taught guidance. */
    FLUX_DEV,
    /** FLUX.1 for few steps. */
    FLUX_SCHNELL,
    /** FLUX.1 that also reads a mask and the rest of a picture. */
    FLUX_FILL,
    /** FLUX.1 that also reads a picture of edges or depths. */
    FLUX_CONTROL,
    /** PixArt-Alpha, a transformer that reads a T5 and is told sizes. */
    PIXART_ALPHA,
    /** PixArt-Sigma, which reads longer texts. */
    PIXART_SIGMA,
    /** DiT, a transformer that draws classes. */
    DIT,
    /** A ControlNet for Stable Diffusion 1.x: one component, which no pipeline has by itself. */
    CONTROLNET_SD15,
    /** A ControlNet for SDXL. */
    CONTROLNET_SDXL,
    /** A ControlNet for Stable Diffusion 3. */
    CONTROLNET_SD3,
    /** The small autoencoder for previews of Stable Diffusion 1.x and 2.x. */
    TAESD,
    /** Stable Video Diffusion, which makes 14 frames of a picture. */
    SVD,
    /** The same for 25 frames. */
    SVD_XT,
    /** Stable Diffusion 1.x with a motion adapter, which makes videos of a text. */
    ANIMATEDIFF;

    /** Its name in commands, for example {@code sdxl-refiner}. */
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

    /**
     * All configuration files of a family, from our own resources.
     *
     * @param index model_index.json; of one component, which has none, only the class
     * @param folders the configuration in each folder of the model, by the folder's name; that of one component by
     *     {@link #ITSELF}
     */
    public record FamilySettings(JsonObject index, Map<String, JsonObject> folders) {
        /** The folder of a model that is one component. */
        static final String ITSELF = ".";

        /** Those of real size. @param id of a family, or of a model that differs from one in its sizes or inputs */
        public static FamilySettings read(String id) {
            return read(id, false);
        }

        /** @param tiny with the family's small sizes */
        static FamilySettings read(ModelFamily family, boolean tiny) {
            return read(family.id(), tiny);
        }

        private static FamilySettings read(String id, boolean tiny) {
            JsonObject all = resource(id);
            JsonObject folders = all.getAsJsonObject("folders");
            if (tiny) {
                merge(folders, all.getAsJsonObject("tiny"));
            }
            Map<String, JsonObject> byName = new LinkedHashMap<>();
            folders.asMap().forEach((name, config) -> byName.put(name, config.getAsJsonObject()));
            return new FamilySettings(all.getAsJsonObject("model_index"), byName);
        }

        private static JsonObject resource(String name) {
            try (InputStream in = FamilySettings.class.getResourceAsStream(name + ".json");
                Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
                JsonObject own = JsonParser.parseReader(reader).getAsJsonObject();
                if (!own.has("extends")) {
                    return own;
                }
                JsonObject base = resource(own.remove("extends").getAsString());
                merge(base, own);
                return base;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Sets in {@code target} what {@code changes} has, object by object. */
        private static void merge(JsonObject target, JsonObject changes) {
            for (Map.Entry<String, JsonElement> change : changes.entrySet()) {
                if (change.getValue().isJsonObject() && target.has(change.getKey())) {
                    merge(target.getAsJsonObject(change.getKey()), change.getValue().getAsJsonObject());
                } else {
                    target.add(change.getKey(), change.getValue());
                }
            }
        }
    }
}
