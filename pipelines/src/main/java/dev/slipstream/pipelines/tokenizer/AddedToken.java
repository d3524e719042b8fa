package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;

/**
 * A token that is found in the text before anything else is done with it, as {@code AddedToken} of
 * huggingface/tokenizers.
 *
 * @param content the text that is looked for
 * @param singleWord whether it counts only where no letter or number touches it
 * @param left whether it takes the spaces before it along; {@code lstrip} in files
 * @param right whether it takes the spaces after it along; {@code rstrip} in files
 * @param normalized whether it is looked for in the normalized text, and is itself normalized for that
 */
public record AddedToken(String content, int id, boolean singleWord, boolean left, boolean right, boolean normalized) {

    /** A token without settings: what starts, ends or pads is found in the text as it is, others in the normalized. */
    public static AddedToken of(String content, int id, boolean special) {
        return new AddedToken(content, id, false, false, false, !special);
    }

    /**
     * Reads an object with {@code content}, {@code lstrip} and so forth.
     *
     * @param special whether it is a special token, if the object does not say so
     * @throws dev.slipstream.pipelines.model.ModelException if it is damaged
     */
    public static AddedToken read(ConfigFile token, int id, boolean special) {
        String content = token.text("content").orElseThrow(() -> token.wrong("content", "is missing"));
        return new AddedToken(content, id, token.flag("single_word", false), token.flag("lstrip", false),
            token.flag("rstrip", false), token.flag("normalized", !token.flag("special", special)));
    }
}
