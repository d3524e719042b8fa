package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A LoRA file, as far as it can be understood without the model: which layers it changes and where its factors are.
 * Linear layers and convolutions (LoCon) in the naming of kohya, of diffusers and of PEFT. Immutable; keeps no file
 * open.
 *
 * @param path the safetensors file
 * @param hash SHA-256 of the file, in hexadecimal digits
 * @param layers by what they change, in the file's order
 * @param unknown names of tensors that belong to no such layer
 */
public record Lora(Path path, String hash, Map<LoraTarget, LoraLayer> layers, List<String> unknown) {
    public Lora {
        layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        unknown = List.copyOf(unknown);
    }

    /**
     * Reads a file's header, and the file once to know it again.
     *
     * @throws ModelException if it is missing or damaged, holds no LoRA, a factor has no partner, or two do not fit
     *     each other
     */
    public static Lora read(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            LoraReader reader = new LoraReader(file);
            Map<LoraTarget, LoraLayer> layers = reader.layers();
            if (layers.isEmpty()) {
                throw new ModelException(path + " is no LoRA file: none of its " + file.tensors().size()
                    + " tensors is a factor of a change of a layer; supported are LoRA and LoCon in the naming of "
                    + "kohya, diffusers and PEFT");
            }
            return new Lora(path, ContentHash.of(path), layers, reader.unknown());
        }
    }

    /** What to call it: the file's own name. */
    public String name() {
        return path.getFileName().toString();
    }

    /** The components that it changes. */
    public Set<Component> components() {
        return layers.keySet().stream().map(LoraTarget::component).collect(Collectors.toUnmodifiableSet());
    }
}
