package dev.slipstream.pipelines.diffusion.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A part of a long prompt that fills the text encoder once: its ids, and the weight of each. Immutable.
 *
 * <p>A prompt of any length is encoded chunk by chunk, and cross-attention reads the results one after another along
 * the dimension of the tokens.
 */
public final class PromptChunk {
    private final long[] ids;
    private final float[] weights;
    private final int filled;

    /** Takes the arrays as its own; without padding. */
    PromptChunk(long[] ids, float[] weights) {
        this(ids, weights, ids.length);
    }

    /** Takes the arrays as its own. @param filled how many ids come before the padding */
    PromptChunk(long[] ids, float[] weights, int filled) {
        this.ids = ids;
        this.weights = weights;
        this.filled = filled;
    }

    /** A copy of the ids, {@code [length]}: start token, text, end token, padding. */
    public long[] ids() {
        return ids.clone();
    }

    /** How many ids there are. */
    public int length() {
        return ids.length;
    }

    /** {@code [length]}: 1 for each id of text, start and end, 0 for padding. */
    public long[] mask() {
        long[] mask = new long[ids.length];
        Arrays.fill(mask, 0, filled, 1);
        return mask;
    }

    /** A copy of the weights, {@code [length]}; 1 for tokens that are not text. */
    public float[] weights() {
        return weights.clone();
    }

    /**
     * Multiplies the row of each token in the text encoder's output for this chunk by the token's weight, and then all
     * rows by the factor that restores the old mean. If that factor is not finite, because the mean is too close to
     * zero, it is 1.
     *
     * @param embeddings hidden states {@code [length, width]}, row-major; they are not changed
     * @throws IllegalArgumentException if they are not whole rows for this chunk's tokens
     */
    public float[] weigh(float[] embeddings) {
        if (embeddings.length % ids.length != 0) {
            throw new IllegalArgumentException(embeddings.length + " values are no rows for " + ids.length + " tokens");
        }
        float[] weighted = embeddings.clone();
        if (isPlain()) {
            return weighted;
        }
        int width = embeddings.length / ids.length;
        for (int i = 0; i < weighted.length; i++) {
            weighted[i] *= weights[i / width];
        }
        double factor = sum(embeddings) / sum(weighted);
        if (Double.isFinite(factor)) {
            for (int i = 0; i < weighted.length; i++) {
                weighted[i] *= (float) factor;
            }
        }
        return weighted;
    }

    /** Whether all weights are 1, so that there is nothing to weigh. */
    public boolean isPlain() {
        for (float weight : weights) {
            if (weight != 1) {
                return false;
            }
        }
        return true;
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    @Override
    public String toString() {
        return Arrays.toString(ids) + (isPlain() ? "" : " weighted " + Arrays.toString(weights));
    }

    /**
     * The tokens around a prompt, as a text encoder needs them: start and end token, and padding up to its length.
     *
     * @param length ids that the encoder takes
     */
    record Frame(SpecialTokens special, int length, int padId) {
        /** Number of a prompt's tokens that fit. */
        int room() {
            return length - special.count();
        }

        /** The ids {@code from} (inclusive) to {@code to} (exclusive) of a prompt, framed. */
        long[] around(long[] prompt, int from, int to) {
            long[] ids = new long[length];
            Arrays.fill(ids, padId);
            int at = 0;
            for (int id : special.before()) {
                ids[at++] = id;
            }
            System.arraycopy(prompt, from, ids, at, to - from);
            at += to - from;
            for (int id : special.after()) {
                ids[at++] = id;
            }
            return ids;
        }

        /** A prompt of any length, cut into chunks that fit; an empty prompt is one chunk. */
        List<PromptChunk> chunks(long[] prompt, float[] weights) {
            List<PromptChunk> chunks = new ArrayList<>();
            int from = 0;
            do {
                int to = Math.min(prompt.length, from + room());
                float[] framed = new float[length];
                Arrays.fill(framed, 1);
                System.arraycopy(weights, from, framed, special.before().size(), to - from);
                chunks.add(new PromptChunk(around(prompt, from, to), framed, special.count() + to - from));
                from = to;
            } while (from < prompt.length);
            return chunks;
        }
    }
}
