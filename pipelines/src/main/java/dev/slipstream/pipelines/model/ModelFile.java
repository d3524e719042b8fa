package dev.slipstream.pipelines.model;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The files of a model folder that are read by name: whoever reads one asks here for its place. */
enum ModelFile {
    INDEX("model_index.json", "which pipeline it is"),
    CUTS("cuts.json", "where the denoiser can be cut"),
    NOISE_SCHEDULER("scheduler/scheduler_config.json", "the noise scheduler"),
    LOW_RESOLUTION_NOISE("low_res_scheduler/scheduler_config.json", "how an upscaler blurs what it enlarges"),
    CASES("cases.json", "reference cases"),
    CASE_INPUTS("inputs.safetensors", "reference cases"),
    CASE_RESULTS("expected.safetensors", "reference cases");

    private final String name;
    private final String reader;

    ModelFile(String name, String reader) {
        this.name = name;
        this.reader = reader;
    }

    Path in(Path model) {
        return model.resolve(name);
    }

    String reader() {
        return reader;
    }

    /** The folder in which it lies, with a slash; empty for those at the top. */
    String folder() {
        return name.substring(0, name.indexOf('/') + 1);
    }

    /** @param path relative to the model, with slashes */
    static Optional<ModelFile> at(String path) {
        return Arrays.stream(values()).filter(file -> file.name.equals(path)).findFirst();
    }
}
