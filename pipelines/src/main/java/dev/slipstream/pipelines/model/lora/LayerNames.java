package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.original.OriginalPlaces.Place;
import dev.slipstream.pipelines.model.original.OriginalPlaces;
import dev.slipstream.pipelines.model.unet.OriginalNames;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the weights and biases of a checkpoint that targets of LoRAs mean. */
public final class LayerNames {
    private static final String WEIGHT = ".weight";
    private static final String TEXT_MODEL = "text_model.";

    private final Map<String, String> modules = new HashMap<>();
    private final Map<String, List<Place>> originals = new HashMap<>();
    private final Set<String> tensors;

    /** @param names of all tensors of the checkpoint */
    LayerNames(Component component, Set<String> names) {
        tensors = Set.copyOf(names);
        Set<String> weighted = new LinkedHashSet<>();
        names.stream().filter(name -> name.endsWith(WEIGHT))
            .forEach(name -> weighted.add(name.substring(0, name.length() - WEIGHT.length())));
        weighted.forEach(module -> put(module, module));
        if (component == Component.DENOISER) {
            OriginalNames original = new OriginalNames(weighted);
            weighted.forEach(module -> original.of(module).ifPresent(name -> put(name, module)));
            OriginalPlaces.of(names).forEach((name, places) -> originals.put(name.replace('.', '_'), places));
        } else {
            // Checkpoints and LoRAs may each be without the name of the only module.
            weighted.forEach(module -> put(module.startsWith(TEXT_MODEL) ? module.substring(TEXT_MODEL.length())
                : TEXT_MODEL + module, module));
        }
    }

    private void put(String name, String module) {
        modules.putIfAbsent(name.replace('.', '_'), module);
    }

    /** The tensors that make up the layer's; none if the checkpoint has no such layer, or the layer no bias. */
    List<Place> places(LoraTarget target) {
        String original = target.path()
            + (target.parameter() == LoraTarget.Parameter.WEIGHT ? "_weight" : "_bias");
        return tensor(target).map(name -> List.of(new Place(name, 0, 1, 1, false)))
            .orElseGet(() -> originals.getOrDefault(original, List.of()));
    }

    /** The tensor's name; empty if the checkpoint has no such layer, or the layer no bias. */
    Optional<String> tensor(LoraTarget target) {
        return Optional.ofNullable(modules.get(target.path()))
            .map(module -> module + (target.parameter() == LoraTarget.Parameter.WEIGHT ? WEIGHT : ".bias"))
            .filter(tensors::contains);
    }
}
