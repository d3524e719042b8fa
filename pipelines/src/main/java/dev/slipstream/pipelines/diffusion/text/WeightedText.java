package dev.slipstream.pipelines.diffusion.text;

import java.util.List;

/**
 * A piece of a prompt and how much attention it gets; 1 is the usual.
 *
 * @param text as it goes to the tokenizer, without the brackets
 * @param weight a factor for what the text encoder makes of it, finite
 */
public record WeightedText(String text, float weight) {
    /**
     * Reads the notation that popular user interfaces share:
     *
     * <pre>
     *     (word)        1.1 times the attention; brackets in brackets multiply
     *     (word:1.3)    1.3 times
     *     [word]        1.1 times less
     *     \( \) \[ \] \\   the signs themselves
     * </pre>
     *
     * <p>A bracket that is never closed reaches to the end; one that was never opened is text. A prompt without any of
     * this is one piece of weight 1.
     *
     * @return pieces in order, neighbours of equal weight joined; one empty piece for an empty prompt
     * @throws PromptException if brackets are nested deeper than 32 levels, or a weight is not finite
     */
    public static List<WeightedText> parse(String prompt) {
        return new AttentionParser(prompt).parse();
    }
}
