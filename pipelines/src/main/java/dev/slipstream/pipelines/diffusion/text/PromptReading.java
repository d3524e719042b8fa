package dev.slipstream.pipelines.diffusion.text;

import java.util.List;
import java.util.Optional;

/**
 * How prompts are read. Without any of it, brackets are text like all else, and a prompt that does not fit is cut.
 *
 * @param weighted whether brackets weigh what is inside, as {@link WeightedText#parse} says
 * @param whole whether a prompt that does not fit is read chunk after chunk, and nothing of it is cut off
 */
public record PromptReading(boolean weighted, boolean whole) {
    public static final PromptReading DEFAULT = new PromptReading(false, false);

    /**
     * What a text encoder is to read.
     *
     * @return at least one chunk, and only one where prompts are cut
     * @throws PromptException if a prompt's weights cannot be read
     * @throws IllegalArgumentException if the prompt has more than 65536 characters
     */
    public List<PromptChunk> chunks(Tokenizer tokenizer, String prompt) {
        List<PromptChunk> chunks = tokens(tokenizer, prompt).chunks();
        return whole ? chunks : chunks.subList(0, 1);
    }

    /**
     * What a model will not see of a prompt, in one sentence; empty if it sees all of it.
     *
     * @throws RuntimeException as {@link #chunks}
     */
    public Optional<String> complaint(Tokenizer tokenizer, String prompt) {
        Tokens tokens = tokens(tokenizer, prompt);
        return whole || tokens.cut() == 0 ? Optional.empty() : Optional.of(tokens.complaint());
    }

    private Tokens tokens(Tokenizer tokenizer, String prompt) {
        if (!weighted) {
            return tokenizer.encode(prompt);
        }
        Tokenizer.checkLength(prompt.length());
        return tokenizer.encode(WeightedText.parse(prompt));
    }
}
