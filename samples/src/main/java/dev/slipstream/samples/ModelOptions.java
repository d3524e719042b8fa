package dev.slipstream.samples;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model. */
public final class ModelOptions {
    @Option(names = "--model", paramLabel = "DIR", order = 1,
        description = "The model: a folder in the layout of diffusers, each component as a graph "
            + "(model.onnx) or as a checkpoint (config.json and safetensors). Without it the sample model.")
    private Path model;

    /** The folder; it need not exist. */
    public Path path() {
        return model != null ? model : home().resolve("samples").resolve("model");
    }

    /** Where the launcher lies; without it the current folder. */
    private static Path home() {
        return Path.of(System.getProperty("slipstream.home", ""));
    }
}
