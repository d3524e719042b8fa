package dev.slipstream.samples.options;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.samples.terminal.GeneralOptions;
import dev.slipstream.samples.terminal.HelpLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which model to use. */
public final class ModelOptions {
    @Option(names = "--model", paramLabel = "PATH", order = HelpLayout.MODEL,
        description = "The model: a folder in the layout of diffusers, each component as a graph "
            + "(model.onnx) or as a checkpoint (config.json and safetensors); or a checkpoint in one file in the "
            + "original layout (safetensors or GGUF), with --config DIR for what it lacks; or ORG/NAME that "
            + "was fetched with model pull. Without it the sample model.")
    private Path model;

    @Option(names = "--vae", paramLabel = "FILE", order = HelpLayout.MODEL + 5,
        description = "Take the autoencoder from this file (safetensors) instead of the model's own.")
    private Path vae;

    @Option(names = "--motion-adapter", paramLabel = "PATH", order = HelpLayout.MODEL + 7,
        description = "A motion adapter (AnimateDiff), with which a Stable Diffusion 1.5 makes videos: a folder with "
            + "config.json and safetensors, or the file of one in the original layout.")
    private Path motionAdapter;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** The folder or file; it need not exist. */
    public Path path() {
        return model != null ? ModelPath.of(model.toString(), System.getenv())
            : home().resolve("samples").resolve("model");
    }

    /** What the model is opened from. */
    public ModelSource source() {
        return new ModelSource(path(), config(), Optional.ofNullable(vae), Optional.ofNullable(motionAdapter));
    }

    /** A pipeline that draws with it. */
    public DiffusionPipeline.Builder pipeline() {
        DiffusionPipeline.Builder pipeline = DiffusionPipeline.of(path());
        config().ifPresent(pipeline::config);
        pipeline = motionAdapter == null ? pipeline : pipeline.motionAdapter(motionAdapter);
        return vae == null ? pipeline : pipeline.vae(vae);
    }

    /** All files that are read, which results must not overwrite. */
    public List<Path> files() {
        List<Path> files = new ArrayList<>(ResultFiles.ofModel(path()));
        if (ModelSource.isFile(path())) {
            files.add(path());
        }
        config().ifPresent(folder -> files.addAll(ResultFiles.ofModel(folder)));
        if (vae != null) {
            files.add(vae);
        }
        if (motionAdapter != null) {
            files.addAll(ResultFiles.ofComponent(motionAdapter));
        }
        return files;
    }

    private Optional<Path> config() {
        // What is mixed in may be mixed in once more; an option knows the command that it ends up in.
        return command == null ? Optional.empty()
            : GeneralOptions.of(command.findOption("--model").command()).flatMap(GeneralOptions::modelConfig);
    }

    /** The folder of the launcher; the current folder without a launcher. */
    private static Path home() {
        return Path.of(System.getProperty("slipstream.home", ""));
    }
}
