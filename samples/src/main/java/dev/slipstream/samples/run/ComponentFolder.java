package dev.slipstream.samples.run;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.diffusion.DenoiserModel;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.samples.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One component on disk: an ONNX graph, or a checkpoint from which graphs are written.
 *
 * @param parts its graphs, which run independently of each other
 * @param ignored tensors of the checkpoint that no graph uses
 */
record ComponentFolder(List<Part> parts, List<String> ignored) {
    /** SDXL's name for it; it is also one of the numbered ones. */
    private static final String PENULTIMATE = "penultimate_hidden_state";

    ComponentFolder {
        parts = List.copyOf(parts);
        ignored = List.copyOf(ignored);
    }

    /**
     * @param path a folder with {@code model.onnx}, or with {@code config.json} and safetensors; or an ONNX file
     * @param format which of them, if both are there; empty for the graph
     */
    static ComponentFolder read(Path path, Optional<ComponentFormat> format) {
        if (InputFile.isThere(path) && !Files.isDirectory(path)) {
            if (path.toString().endsWith(".safetensors")) {
                throw new InputException(path + " is one file of a checkpoint; give the folder that it lies in");
            }
            return onnx(path);
        }
        if (!Files.isDirectory(path)) {
            throw new InputException("there is no folder " + path + "; give that of one component, like text_encoder/");
        }
        return switch (format.orElseGet(() -> formatOf(path))) {
            case CHECKPOINT -> checkpoint(path);
            case ONNX -> onnx(graph(path, format.isPresent()));
        };
    }

    /** A folder with a configuration was meant to be a checkpoint, and is told what its weights lack. */
    private static ComponentFormat formatOf(Path folder) {
        boolean graph = InputFile.isThere(folder.resolve("model.onnx"));
        return !graph && InputFile.isThere(folder.resolve("config.json")) ? ComponentFormat.CHECKPOINT
            : ComponentFormat.of(folder);
    }

    private static Path graph(Path folder, boolean asked) {
        Path file = folder.resolve("model.onnx");
        if (!InputFile.isThere(file)) {
            throw new InputException(folder + (asked
                ? " has no model.onnx; leave out --from to run the checkpoint, if it has one"
                : " has neither a model.onnx nor a config.json with safetensors; give the folder of one component, "
                    + "like text_encoder/"));
        }
        return file;
    }

    private static ComponentFolder onnx(Path file) {
        return new ComponentFolder(List.of(Part.of(file.getFileName().toString(), GraphFile.read(file))), List.of());
    }

    private static ComponentFolder checkpoint(Path folder) {
        ConfigFile config = ConfigFile.read(folder.resolve("config.json"));
        Checkpoint checkpoint = Checkpoint.open(folder);
        String name = className(config);
        return switch (name) {
            case "CLIPTextModel", "CLIPTextModelWithProjection" -> textEncoder(config, checkpoint);
            case "AutoencoderKL" -> autoencoder(config, checkpoint);
            case "UNet2DConditionModel" -> {
                BuiltGraph unet = UNet.write(config, checkpoint);
                // As in a loop, whose timesteps may lie between whole ones.
                DenoiserModel denoiser = new DenoiserModel("unet", unet.graph(), config.root(), List.of());
                yield new ComponentFolder(List.of(Part.of("unet", denoiser.graph())), unet.ignored());
            }
            default -> throw new InputException(config.path() + " describes a " + name + ", which cannot be run from "
                + "its checkpoint; supported are CLIPTextModel, CLIPTextModelWithProjection, AutoencoderKL and "
                + "UNet2DConditionModel");
        };
    }

    /** diffusers and transformers name the class in different ways. */
    private static String className(ConfigFile config) {
        return config.text("_class_name").or(() -> config.list("architectures").stream().findFirst()
                .map(first -> config.text("architectures", first)))
            .or(() -> config.text("model_type").filter("clip_text_model"::equals).map(type -> "CLIPTextModel"))
            .orElseThrow(() -> new InputException(config.path() + " does not say what it describes; it needs "
                + "_class_name or architectures, as diffusers and transformers write them"));
    }

    private static ComponentFolder textEncoder(ConfigFile config, Checkpoint checkpoint) {
        BuiltGraph built = ClipTextModel.write(config, checkpoint);
        List<NamedOutput> outputs = new ArrayList<>(Part.of("", built.graph()).outputs());
        String penultimate = ClipTextModel.hiddenState(ClipTextModel.layers(config) - 1);
        outputs.add(new NamedOutput(PENULTIMATE, penultimate, Reading.WHOLE));
        return new ComponentFolder(List.of(new Part("text encoder", built.graph(), outputs)), built.ignored());
    }

    private static ComponentFolder autoencoder(ConfigFile config, Checkpoint checkpoint) {
        BuiltGraph decoder = AutoencoderKl.decoder(config, checkpoint);
        BuiltGraph encoder = AutoencoderKl.encoder(config, checkpoint);
        Set<String> unusedByDecoder = Set.copyOf(decoder.ignored());
        return new ComponentFolder(List.of(
            new Part("decoder", decoder.graph(),
                List.of(new NamedOutput("decoded", AutoencoderKl.SAMPLE, Reading.WHOLE))),
            new Part("encoder", encoder.graph(),
                List.of(NamedOutput.of(AutoencoderKl.LATENT_PARAMETERS),
                    new NamedOutput("encoded_mean", AutoencoderKl.LATENT_PARAMETERS, Reading.MEAN),
                    new NamedOutput("encoded_logvar", AutoencoderKl.LATENT_PARAMETERS, Reading.LOG_VARIANCE)))),
            encoder.ignored().stream().filter(unusedByDecoder::contains).toList());
    }
}
