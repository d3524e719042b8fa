package dev.slipstream.pipelines.model.init;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.file.AtomicFolder;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsWriter;
import dev.slipstream.pipelines.model.StoredType;
import dev.slipstream.pipelines.model.TensorOutline;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model to be written: the parts and blocks of a family, with random weights.
 *
 * <pre>{@code
 * ModelTemplate.of(ModelFamily.SDXL, true).write(Path.of("tiny-sdxl"));
 * }</pre>
 *
 * <p>Tiny models have the family's blocks, so the published cuts apply, with a few channels. Their pictures show
 * nothing.
 *
 * @param tiny whether widths and depths are small; otherwise they are the family's own, which takes gigabytes
 * @param type of the weights: F32, F16 or BF16
 * @param seed of the weights
 */
public record ModelTemplate(ModelFamily family, boolean tiny, StoredType type, long seed) {
    /** Types in which weights can be written. */
    public static final List<StoredType> TYPES = List.of(StoredType.F32, StoredType.F16, StoredType.BF16);

    public ModelTemplate {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException("weights are written as " + TYPES + ", not as " + type);
        }
    }

    /** Tiny models in fp32, and others in fp16, as they are published. */
    public static ModelTemplate of(ModelFamily family, boolean tiny) {
        return new ModelTemplate(family, tiny, tiny ? StoredType.F32 : StoredType.F16, 0);
    }

    public ModelTemplate withType(StoredType other) {
        return new ModelTemplate(family, tiny, other, seed);
    }

    public ModelTemplate withSeed(long other) {
        return new ModelTemplate(family, tiny, type, other);
    }

    /**
     * Writes the folder, whole or not at all. One tensor at a time is in memory.
     *
     * @param folder is not there, or empty
     * @return its parts
     * @throws ModelException if the folder is there and not empty, or cannot be written
     */
    public List<WrittenPart> write(Path folder) {
        String[] inTheWay = folder.toFile().list();
        if (Files.exists(folder) && (inTheWay == null || inTheWay.length > 0)) {
            throw new ModelException("cannot write a model to " + folder + ": it is "
                + (inTheWay == null ? "a file" : "not empty") + "; give a new folder");
        }
        FamilySettings settings = FamilySettings.read(family, tiny);
        List<WrittenPart> parts = new ArrayList<>();
        try {
            AtomicFolder.write(folder, target -> {
                for (Map.Entry<String, JsonObject> part : settings.folders().entrySet()) {
                    Path home = Files.createDirectory(target.resolve(part.getKey()));
                    parts.add(write(home, part.getValue(), settings));
                }
                Json.write(target.resolve("model_index.json"), settings.index());
            });
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
        return parts;
    }

    private WrittenPart write(Path home, JsonObject config, FamilySettings settings) throws IOException {
        String name = home.getFileName().toString();
        JsonArray named = settings.index().getAsJsonArray(name);
        String className = named.get(named.size() - 1).getAsString();
        if (name.startsWith("tokenizer")) {
            String encoder = name.replace("tokenizer", "text_encoder");
            TokenizerWriter.write(home, config, settings.folders().get(encoder).get("vocab_size").getAsInt());
            return new WrittenPart(name, className, 0, 0);
        }
        if (name.endsWith("scheduler")) {
            Json.write(home.resolve("scheduler_config.json"), config);
            return new WrittenPart(name, className, 0, 0);
        }
        Path file = home.resolve("config.json");
        Json.write(file, config);
        ConfigFile read = new ConfigFile(file, config);
        return switch (className) {
            case "UNet2DConditionModel" -> weights(home, className, UNet.weights(read));
            case "AutoencoderKL" -> weights(home, className, AutoencoderKl.weights(read));
            default -> weights(home, className, ClipTextModel.weights(read));
        };
    }

    private WrittenPart weights(Path home, String className, Map<String, Shape> shapes) {
        Map<String, TensorOutline> outlines = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> outlines.put(name, new TensorOutline(type, shape)));
        RandomWeights random = new RandomWeights(type, seed);
        boolean transformers = className.startsWith("CLIP");
        SafetensorsWriter.write(home.resolve(transformers ? "model.safetensors"
            : "diffusion_pytorch_model.safetensors"), outlines, name -> random.tensor(name, shapes.get(name)).data(),
            Map.of("format", "pt"));
        long parameters = shapes.values().stream().mapToLong(Shape::elements).sum();
        return new WrittenPart(home.getFileName().toString(), className, parameters, parameters * type.bytes());
    }
}
