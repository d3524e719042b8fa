package dev.slipstream.pipelines.model;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The files of a tokenizer's folder that are read by name. */
public enum TokenizerFile {
    /** All of it, as huggingface/tokenizers writes it. */
    TOKENIZER("tokenizer.json"),
    /** CLIP's tokens and their ids; where there is no tokenizer.json. */
    VOCABULARY("vocab.json"),
    /** CLIP's merges, best first; where there is no tokenizer.json. */
    MERGES("merges.txt"),
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

    /** Whether {@link #TOKENIZER} says the same, so that it is not read beside it. */
    boolean isInTokenizer() {
        return this == VOCABULARY || this == MERGES;
    }

    static Optional<TokenizerFile> of(String fileName) {
        return Arrays.stream(values()).filter(file -> file.fileName.equals(fileName)).findFirst();
    }
}
