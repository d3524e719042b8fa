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
import java.util.stream.Stream;

/**
 * An adapter's file, as far as it can be understood without the model: which weights it changes and where its factors
 * are. LoRA of linear layers and convolutions (LoCon), LoHa, LoKr, full differences, each of them also as DoRA, in the
 * naming of kohya, LyCORIS, diffusers, PEFT and ComfyUI. Immutable; keeps no file open.
 *
 * @param path the safetensors file
 * @param hash SHA-256 of the file and of what settings beside it say, in hexadecimal digits
 * @param layers by what they change, in the file's order
 * @param unknown names of tensors that belong to no such layer, and of settings that are not known
 */
public record Lora(Path path, String hash, Map<LoraTarget, LoraLayer> layers, List<String> unknown) {
    /** What writers call their file whatever it holds. */
    private static final Set<String> USUAL_NAMES = Set.of("adapter_model.safetensors",
        "pytorch_lora_weights.safetensors");

    public Lora {
        layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        unknown = List.copyOf(unknown);
    }

    /**
     * Reads a file's header, and the file once to know it again; PEFT's {@code adapter_config.json} beside it, too.
     *
     * @param path safetensors, or a folder as PEFT or diffusers save one
     * @throws ModelException if it is missing or damaged, holds no LoRA, a factor has no partner, two do not fit each
     *     other, or something would change weights in a way that is not supported
     */
    public static Lora read(Path path) {
        return read(AdapterFiles.find(path));
    }

    /**
     * Reads an adapter of which the parts may be files of their own, in folders named after the components ({@code
     * unet}, {@code text_encoder}, {@code text_encoder_2}), as PEFT saves what a script trains of a pipeline.
     *
     * @param path a file, a folder with one, or a folder of such folders
     * @return one for each file; all of them together are the adapter
     * @throws ModelException as {@link #read}
     */
    public static List<Lora> readAll(Path path) {
        return AdapterFiles.findAll(path).stream().map(Lora::read).toList();
    }

    private static Lora read(AdapterFiles files) {
        try (SafetensorsFile file = SafetensorsFile.open(files.weights())) {
            AdapterSettings settings = AdapterSettings.read(file, files.config());
            LoraReader reader = new LoraReader(file, settings, files.textEncoder());
            Map<LoraTarget, LoraLayer> layers = reader.layers();
            if (layers.isEmpty()) {
                throw new ModelException(file.path() + " is no LoRA file that can be used: "
                    + (reader.unknown().stream().anyMatch(LoraTarget::isOfTransformer)
                        ? "it is for a transformer, and no such model can be run"
                        : "none of its " + file.tensors().size() + " tensors is a factor of a change of a layer; "
                            + "supported are LoRA, LoCon, LoHa, LoKr, DoRA and full differences in the naming of "
                            + "kohya, LyCORIS, diffusers, PEFT and ComfyUI"));
            }
            String hash = ContentHash.of(file.path());
            return new Lora(file.path(), files.config().map(it -> ContentHash.of(hash + ContentHash.of(it)))
                .orElse(hash), layers,
                Stream.concat(reader.unknown().stream(), settings.unknown().stream()).toList());
        }
    }

    /** What to call it: the file's own name, with its folder's where the file is called as all are. */
    public String name() {
        String name = path.getFileName().toString();
        Path home = path.toAbsolutePath().normalize().getParent();
        return USUAL_NAMES.contains(name) && home != null && home.getFileName() != null
            ? home.getFileName() + "/" + name : name;
    }

    /** The components that it changes. */
    public Set<Component> components() {
        return layers.keySet().stream().map(LoraTarget::component).collect(Collectors.toUnmodifiableSet());
    }
}
