package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the weights of a checkpoint that targets of LoRAs mean. */
final class LayerNames {
    private static final String WEIGHT = ".weight";
    private static final String TEXT_MODEL = "text_model.";

    private final Map<String, String> weights = new HashMap<>();

    /** @param names of all tensors of the checkpoint */
    LayerNames(Component component, Set<String> names) {
        Set<String> modules = new LinkedHashSet<>();
        names.stream().filter(name -> name.endsWith(WEIGHT))
            .forEach(name -> modules.add(name.substring(0, name.length() - WEIGHT.length())));
        modules.forEach(module -> put(module, module));
        if (component == Component.DENOISER) {
            OriginalNames original = new OriginalNames(modules);
            modules.forEach(module -> original.of(module).ifPresent(name -> put(name, module)));
        } else {
            // Checkpoints and LoRAs may each be without the name of the only module.
            modules.forEach(module -> put(module.startsWith(TEXT_MODEL) ? module.substring(TEXT_MODEL.length())
                : TEXT_MODEL + module, module));
        }
    }

    private void put(String name, String module) {
        weights.putIfAbsent(name.replace('.', '_'), module + WEIGHT);
    }

    /** The weight's name; empty if the checkpoint has no such layer. */
    Optional<String> weight(LoraTarget target) {
        return Optional.ofNullable(weights.get(target.path()));
    }
}
