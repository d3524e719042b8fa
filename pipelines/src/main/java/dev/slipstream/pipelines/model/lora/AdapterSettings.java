package dev.slipstream.pipelines.model.lora;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settings of an adapter beside its tensors: PEFT's file for all components, or the entries for each component that
 * diffusers writes into a file's metadata. An alpha among the tensors goes before that of the settings.
 */
record AdapterSettings(Map<Component, AdapterConfig> configs) {
    private static final String KEY = "lora_adapter_metadata";

    private static final Map<String, Component> PREFIXES = Map.of("unet.", Component.DENOISER,
        "transformer.", Component.DENOISER, "text_encoder.", Component.TEXT_ENCODER,
        "text_encoder_2.", Component.TEXT_ENCODER_2, "text_encoder_3.", Component.TEXT_ENCODER_3);

    /**
     * @param config PEFT's file
     * @throws ModelException if they are damaged, or ask for something that is not supported
     */
    static AdapterSettings read(SafetensorsFile file, Optional<Path> config) {
        Map<Component, AdapterConfig> configs = new EnumMap<>(Component.class);
        if (config.isPresent()) {
            AdapterConfig all = new AdapterConfig(ConfigFile.read(config.get()), "");
            PREFIXES.values().forEach(component -> configs.put(component, all));
        } else {
            ConfigFile header = header(file);
            PREFIXES.forEach((prefix, component) -> {
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

    /** Settings that are neither followed nor known to have no effect. */
    List<String> unknown() {
        return configs.values().stream().distinct().flatMap(config -> config.unknown().stream()
            .map(name -> "the setting \"" + name + "\" in " + config.settings().path().getFileName())).toList();
    }

    /** The settings for the layers of a component; empty if there are none. */
    Optional<AdapterConfig> of(Component component) {
        return Optional.ofNullable(configs.get(component));
    }
}
