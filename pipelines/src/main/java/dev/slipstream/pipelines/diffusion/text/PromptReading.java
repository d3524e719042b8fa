package dev.slipstream.pipelines.diffusion.text;

import dev.slipstream.pipelines.model.RequestException;
import java.util.List;
import java.util.Optional;

/**
 * How prompts are read. By default, brackets are ordinary text, and a prompt that does not fit is cut.
 *
 * @param weighted whether brackets change the weight of the text inside, as {@link WeightedText#parse} describes
 * @param whole whether a prompt that does not fit is read chunk after chunk, and nothing of it is cut off
 */
public record PromptReading(boolean weighted, boolean whole) {
    public static final PromptReading DEFAULT = new PromptReading(false, false);

    /**
     * A prompt in the tokens of a text encoder.
     *
     * @throws RequestException if a prompt's weights cannot be read
     * @throws IllegalArgumentException if the prompt has more than 65536 characters
     */
    public Tokens tokens(Tokenizer tokenizer, String prompt) {
        if (!weighted) {
            return tokenizer.encode(prompt);
        }
        Tokenizer.checkLength(prompt.length());
        return tokenizer.encode(WeightedText.parse(prompt));
    }

    /** The chunks for a text encoder: at least one chunk, and only one where prompts are cut. */
    public List<PromptChunk> chunks(Tokens prompt) {
        return whole ? prompt.chunks() : prompt.chunks().subList(0, 1);
    }

    /** One sentence about the part of a prompt that the model will not see; empty if it sees all of it. */
    public Optional<String> complaint(Tokens prompt) {
        return whole || prompt.cut() == 0 ? Optional.empty() : Optional.of(prompt.complaint());
    }
}
