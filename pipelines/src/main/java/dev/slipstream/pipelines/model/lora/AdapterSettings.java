package dev.slipstream.pipelines.model.lora;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** PEFT's settings, which diffusers writes into a file's metadata: alpha where no tensor says it. */
record AdapterSettings(ConfigFile settings) {
    private static final String KEY = "lora_adapter_metadata";

    private static final Map<Component, String> PREFIXES = Map.of(Component.DENOISER, "unet.",
        Component.TEXT_ENCODER, "text_encoder.", Component.TEXT_ENCODER_2, "text_encoder_2.");

    /** @throws ModelException if they are damaged, or ask for something that is not plain LoRA */
    static AdapterSettings read(Path file, Map<String, String> metadata) {
        try {
            JsonObject root = JsonParser.parseString(metadata.getOrDefault(KEY, "{}")).getAsJsonObject();
            AdapterSettings read = new AdapterSettings(new ConfigFile(file, root));
            PREFIXES.values().forEach(read::refuseVariants);
            return read;
        } catch (JsonParseException | IllegalStateException e) {
            throw new ModelException(file + ": its " + KEY + " is not a JSON object", e);
        }
    }

    private void refuseVariants(String prefix) {
        for (String variant : List.of("use_dora", "use_rslora")) {
            if (settings.flag(prefix + variant, false)) {
                throw settings.wrong(prefix + variant, "is true, which is not supported; only plain LoRA is");
            }
        }
        settings.object(prefix + "alpha_pattern").filter(pattern -> pattern.root().size() > 0).ifPresent(pattern -> {
            throw settings.wrong(prefix + "alpha_pattern", "is not supported; save the file with a tensor \"alpha\" "
                + "for each layer");
        });
    }

    /** Of all layers of a component; empty if not said. */
    OptionalDouble alpha(Component component) {
        String key = PREFIXES.get(component) + "lora_alpha";
        return settings.has(key) ? OptionalDouble.of(settings.number(key, 1)) : OptionalDouble.empty();
    }
}
