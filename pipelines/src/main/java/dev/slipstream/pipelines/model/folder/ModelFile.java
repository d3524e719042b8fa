package dev.slipstream.pipelines.model.folder;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The files of a model folder that are read by name: the one place that knows their names. */
public enum ModelFile {
    INDEX("model_index.json", "which pipeline it is"),
    CUTS("cuts.json", "where the denoiser can be cut"),
    CALIBRATION("slipstream-cache.json", "at which steps a part of the denoiser may rest"),
    QUALITY("slipstream-quality.json", "how near pictures of plans come to the exact ones"),
    LATENTS("slipstream-latents.json", "when pictures may go on from others' latents"),
    PROMPTS("slipstream-prompts.txt", "prompts that say the same, with which it is measured"),
    PROFILE("slipstream-profile.json", "what its modules take on the devices of a machine"),
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

    public Path in(Path model) {
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

    /** The files of a component's folder that are read by name, beside its weights. */
    public enum ComponentFile {
        /** What an exporter wrote. */
        GRAPH("model.onnx"),
        /** The component's settings. */
        CONFIG("config.json");

        private final String fileName;

        ComponentFile(String fileName) {
            this.fileName = fileName;
        }

        public Path in(Path component) {
            return component.resolve(fileName);
        }

        String fileName() {
            return fileName;
        }
    }

    /** The files of a tokenizer's folder that are read by name. */
    public enum TokenizerFile {
        /** The whole tokenizer, as huggingface/tokenizers writes it. */
        TOKENIZER("tokenizer.json"),
        /** CLIP's tokens and their ids, read if there is no tokenizer.json. */
        VOCABULARY("vocab.json"),
        /** CLIP's merges, best first, read if there is no tokenizer.json. */
        MERGES("merges.txt"),
        /** T5's pieces, read if there is none of these. */
        PIECES("spiece.model"),
        CONFIG("tokenizer_config.json"),
        SPECIAL_TOKENS("special_tokens_map.json"),
        ADDED_TOKENS("added_tokens.json");

        private final String fileName;

        TokenizerFile(String fileName) {
            this.fileName = fileName;
        }

        public Path in(Path tokenizer) {
            return tokenizer.resolve(fileName);
        }

        /** Whether {@link #TOKENIZER} contains the same, so that this file is not read where that exists. */
        boolean isInTokenizer() {
            return this == VOCABULARY || this == MERGES || this == PIECES;
        }

        static Optional<TokenizerFile> of(String fileName) {
            return Arrays.stream(values()).filter(file -> file.fileName.equals(fileName)).findFirst();
        }
    }
}
