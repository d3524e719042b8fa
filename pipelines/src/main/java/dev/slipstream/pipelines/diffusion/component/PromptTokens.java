package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import java.util.List;

/**
 * Both prompts of a request in the tokens of each of a model's text encoders. Immutable.
 *
 * @param encoders one an encoder, none if there is no encoder; all have as many chunks
 * @param emptyUnconditional whether the unconditional prompt is the empty text
 * @param known whether the tokenizers know all of the conditional prompt; what they do not know, the model cannot draw
 * @param complaints what the model will not see of the prompts, one sentence for each that is cut
 */
public record PromptTokens(List<Pair> encoders, boolean emptyUnconditional, boolean known,
    List<String> complaints) {
    /** The chunks of both prompts; the shorter prompt is filled up with empty ones. */
    public record Pair(List<PromptChunk> unconditional, List<PromptChunk> conditional) {
        public Pair {
            unconditional = List.copyOf(unconditional);
            conditional = List.copyOf(conditional);
        }
    }

    public PromptTokens {
        encoders = List.copyOf(encoders);
        complaints = List.copyOf(complaints);
    }

    /** How many times each encoder runs: 1 where prompts are cut, else as often as the longest needs. */
    public int chunks() {
        return encoders.stream().mapToInt(pair -> pair.conditional().size()).findFirst().orElse(1);
    }
}
