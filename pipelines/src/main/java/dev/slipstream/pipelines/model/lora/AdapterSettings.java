package dev.slipstream.pipelines.model.lora;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is said about an adapter beside its tensors: PEFT's file for all of it, or what diffusers writes into a file's
 * metadata for each component. Where a tensor says alpha, that counts.
 */
record AdapterSettings(Map<Component, AdapterConfig> configs) {
    private static final String KEY = "lora_adapter_metadata";

    private static final Map<Component, String> PREFIXES = Map.of(Component.DENOISER, "unet.",
        Component.TEXT_ENCODER, "text_encoder.", Component.TEXT_ENCODER_2, "text_encoder_2.");

    /**
     * @param config PEFT's file
     * @throws ModelException if they are damaged, or ask for something that is not supported
     */
    static AdapterSettings read(SafetensorsFile file, Optional<Path> config) {
        Map<Component, AdapterConfig> configs = new EnumMap<>(Component.class);
        if (config.isPresent()) {
            AdapterConfig all = new AdapterConfig(ConfigFile.read(config.get()), "");
            PREFIXES.keySet().forEach(component -> configs.put(component, all));
        } else {
            ConfigFile header = header(file);
            PREFIXES.forEach((component, prefix) -> {
                if (header.root().keySet().stream().anyMatch(key -> key.startsWith(prefix))) {
                    configs.put(component, new AdapterConfig(header, prefix));
                }
            });
        }
        configs.values().forEach(AdapterConfig::check);
        return new AdapterSettings(configs);
    }

    private static ConfigFile header(SafetensorsFile file) {
        try {
            JsonObject root = JsonParser.parseString(file.metadata().getOrDefault(KEY, "{}")).getAsJsonObject();
            return new ConfigFile(file.path(), root);
        } catch (JsonParseException | IllegalStateException e) {
            throw new ModelException(file.path() + ": its " + KEY + " is not a JSON object", e);
        }
    }

    /** Settings that are neither followed nor known to say nothing. */
    List<String> unknown() {
        return configs.values().stream().distinct().flatMap(config -> config.unknown().stream()
            .map(name -> "the setting \"" + name + "\" in " + config.settings().path().getFileName())).toList();
    }

    /**
     * @param tensor by which the layer is called
     * @param decomposed whether it is DoRA by its tensors
     * @throws ModelException if a layer is not what the settings say
     */
    void check(LoraTarget.Module module, String tensor, Factors factors, boolean decomposed) {
        AdapterConfig config = configs.get(module.component());
        if (config == null || factors instanceof Factors.Full) {
            return;
        }
        if (config.usesDora() && !decomposed) {
            throw config.settings().wrong("use_dora", "is true, but " + tensor + " has no lora_magnitude_vector");
        }
        OptionalLong rank = factors.rank();
        config.rank(module.name()).filter(said -> rank.isPresent() && said != rank.getAsLong()).ifPresent(said -> {
            throw config.settings().wrong("r", "says that " + tensor + " has the rank " + said + ", but it has "
                + rank.getAsLong() + "; the file belongs to another adapter");
        });
    }

    /** Of a layer whose tensors do not say alpha; 1 if nothing says it. */
    double scale(LoraTarget.Module module, OptionalLong rank) {
        AdapterConfig config = configs.get(module.component());
        return config == null ? 1 : config.scale(module.name(), rank);
    }
}
