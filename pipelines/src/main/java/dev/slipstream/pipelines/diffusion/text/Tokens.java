package dev.slipstream.pipelines.diffusion.text;

import java.util.Arrays;

/**
 * A prompt as a text encoder reads it. Immutable.
 *
 * <p>{@link #ids} has always the length that the model wants. If the prompt needs more tokens, its end is cut off, and
 * {@link #lostText} says what of it the model will not see.
 */
public final class Tokens {
    private final long[] ids;
    private final int needed;
    private final String lostText;

    Tokens(long[] ids, int needed, String lostText) {
        this.ids = ids;
        this.needed = needed;
        this.lostText = lostText;
    }

    /** A copy of the ids, {@code [length]}: start token, prompt, end token, padding, as the model has them. */
    public long[] ids() {
        return ids.clone();
    }

    /** How many the model takes. */
    public int length() {
        return ids.length;
    }

    /** How many tokens the whole prompt has, with start and end token, without padding. */
    public int needed() {
        return needed;
    }

    /** How many tokens of the prompt were cut off. */
    public int cut() {
        return Math.max(0, needed - ids.length);
    }

    /** The end of the prompt that was cut off, empty if nothing was. */
    public String lostText() {
        return lostText;
    }

    /** For messages: "prompt too long: 91 tokens, 77 fit; lost: ...". Only where {@link #cut} is not 0. */
    public String complaint() {
        if (cut() == 0) {
            throw new IllegalStateException("the prompt fits: " + needed + " tokens of " + ids.length);
        }
        return "prompt too long: " + needed + " tokens, " + ids.length + " fit; lost: \"" + lostText + '"';
    }

    @Override
    public String toString() {
        return Arrays.toString(ids);
    }
}
