package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An adapter's file, as far as it can be understood without the model: which weights it changes and by which factors.
 * LoRA of linear layers and convolutions (LoCon), LoHa, LoKr, full differences, each of them also as DoRA, in the
 * naming of kohya, LyCORIS, diffusers, PEFT and ComfyUI. Immutable; keeps no file open.
 *
 * @param path the safetensors file
 * @param hash SHA-256 of the file, and of the settings file beside it, in hexadecimal digits
 * @param layers by the weight that they change, in the file's order
 * @param unknown names of tensors that belong to no such layer, and of settings that are not known
 */
public record Lora(Path path, String hash, Map<LoraTarget, LoraLayer> layers, List<String> unknown) {
    /** Names that say nothing about the adapter. */
    private static final Set<String> USUAL_NAMES = Set.of("adapter_model.safetensors",
        "pytorch_lora_weights.safetensors");

    public Lora {
        layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        unknown = List.copyOf(unknown);
    }

    /**
     * Reads a file's header, PEFT's {@code adapter_config.json} beside it, and once the whole file for its hash.
     *
     * @param path safetensors, or a folder as PEFT or diffusers save one
     * @throws ModelException if it is missing or damaged, holds no LoRA, a factor has no partner, two do not fit each
     *     other, or something would change weights in a way that is not supported
     */
    public static Lora read(Path path) {
        return read(AdapterFiles.find(path));
    }

    /**
     * Reads an adapter whose parts may be separate files, in folders named after the components ({@code unet}, {@code
     * text_encoder}, {@code text_encoder_2}), as training scripts save them with PEFT.
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
            LoraReader reader = new LoraReader(file, settings, files);
            Map<LoraTarget, LoraLayer> layers = reader.layers();
            if (layers.isEmpty()) {
                throw new ModelException(file.path() + " is no LoRA file that can be used: "
                    + "none of its " + file.tensors().size() + " tensors is a factor of a change of a layer; "
                    + "supported are LoRA, LoCon, LoHa, LoKr, DoRA and full differences in the naming of kohya, "
                    + "LyCORIS, diffusers, PEFT and ComfyUI");
            }
            return new Lora(file.path(), hash(files), layers,
                Stream.concat(reader.unknown().stream(), settings.unknown().stream()).toList());
        }
    }

    private static String hash(AdapterFiles files) {
        try {
            String weights = Sha256.ofFile(files.weights());
            return files.config().isEmpty() ? weights
                : Sha256.of(weights + Sha256.ofFile(files.config().get()));
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    /** A name for people: that of the file, preceded by the folder's if the file has one of the usual names. */
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

    /**
     * A LoRA and how much of it is wanted.
     *
     * @param weight 1 as it was trained, 0 for nothing, negative for the opposite
     */
    public record WeightedLora(Lora lora, double weight) {
        public WeightedLora {
            if (!Double.isFinite(weight)) {
                throw new IllegalArgumentException("the weight of " + lora.path() + " must be a number, not " + weight);
            }
        }

        /** As the command line takes it, without the folder: {@code style.safetensors:0.8}. */
        @Override
        public String toString() {
            return lora.name() + ":" + weight;
        }
    }
}
