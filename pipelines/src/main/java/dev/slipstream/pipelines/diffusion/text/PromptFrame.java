package dev.slipstream.pipelines.diffusion.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a text encoder wants around the tokens of a prompt: start and end token, and padding up to its length.
 *
 * @param length ids that the encoder takes
 */
record PromptFrame(SpecialTokens special, int length, int padId) {
    /** Tokens of a prompt that fit. */
    int room() {
        return length - special.count();
    }

    /** The ids {@code from} (inclusive) to {@code to} (exclusive) of a prompt, with all that belongs around them. */
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

    /** A prompt of any length in pieces that fit; one, if it is empty. */
    List<PromptChunk> chunks(long[] prompt, float[] weights) {
        List<PromptChunk> chunks = new ArrayList<>();
        int from = 0;
        do {
            int to = Math.min(prompt.length, from + room());
            float[] framed = new float[length];
            Arrays.fill(framed, 1);
            System.arraycopy(weights, from, framed, special.before().size(), to - from);
            chunks.add(new PromptChunk(around(prompt, from, to), framed));
            from = to;
        } while (from < prompt.length);
        return chunks;
    }
}
