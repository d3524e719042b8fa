package dev.slipstream.pipelines.diffusion.text;

import java.util.Arrays;

/**
 * A part of a long prompt that fills the text encoder once: its ids, and the weight of each. Immutable.
 *
 * <p>A prompt of any length is encoded chunk by chunk, and cross-attention reads the results one after another along
 * the dimension of the tokens.
 */
public final class PromptChunk {
    private final long[] ids;
    private final float[] weights;

    /** Takes the arrays as its own. */
    PromptChunk(long[] ids, float[] weights) {
        this.ids = ids;
        this.weights = weights;
    }

    /** A copy of the ids, {@code [length]}: start token, text, end token, padding. */
    public long[] ids() {
        return ids.clone();
    }

    /** How many ids there are. */
    public int length() {
        return ids.length;
    }

    /** A copy of the weights, {@code [length]}; 1 for all that is not text. */
    public float[] weights() {
        return weights.clone();
    }

    /**
     * What the text encoder made of this chunk, with each token's row multiplied by its weight, and then all of it by
     * what gives it the old mean back. Where that mean is so near to zero that the factor is not finite, it is 1.
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
}
