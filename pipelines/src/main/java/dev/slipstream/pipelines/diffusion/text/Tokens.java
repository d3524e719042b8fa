package dev.slipstream.pipelines.diffusion.text;

import java.util.Arrays;
import java.util.List;

/**
 * A prompt as a text encoder reads it: whole, in {@link #chunks}, or the {@link #ids} of the first of these. Immutable.
 *
 * <p>{@link #ids} always has the length that the model takes. If the prompt needs more tokens, its end is cut off, and
 * {@link #lostText} is the part that the model will not see.
 */
public final class Tokens {
    private final List<PromptChunk> chunks;
    private final int needed;
    private final String lostText;
    private final boolean known;

    Tokens(List<PromptChunk> chunks, int needed, String lostText, boolean known) {
        this.chunks = List.copyOf(chunks);
        this.needed = needed;
        this.lostText = lostText;
        this.known = known;
    }

    /** The whole prompt, in as many chunks as it needs, at least one. */
    public List<PromptChunk> chunks() {
        return chunks;
    }

    /** A copy of the ids, {@code [length]}: start token, prompt, end token, padding, as the model has them. */
    public long[] ids() {
        return chunks.getFirst().ids();
    }

    /** How many the model takes. */
    public int length() {
        return chunks.getFirst().length();
    }

    /** How many tokens the whole prompt has, with start and end token, without padding. */
    public int needed() {
        return needed;
    }

    /** How many tokens of the prompt were cut off. */
    public int cut() {
        return Math.max(0, needed - length());
    }

    /** The end of the prompt that was cut off, empty if nothing was. */
    public String lostText() {
        return lostText;
    }

    /** Whether the tokenizer knows all of the prompt, and has no token that stands for anything in it. */
    public boolean isKnown() {
        return known;
    }

    /** For messages: "prompt too long: 91 tokens, 77 fit; lost: ...". Only where {@link #cut} is not 0. */
    public String complaint() {
        if (cut() == 0) {
            throw new IllegalStateException("the prompt fits: " + needed + " tokens of " + length());
        }
        return "prompt too long: " + needed + " tokens, " + length() + " fit; lost: \"" + lostText + '"';
    }

    @Override
    public String toString() {
        return Arrays.toString(ids());
    }
}
