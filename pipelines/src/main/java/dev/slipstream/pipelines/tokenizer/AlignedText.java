package dev.slipstream.pipelines.tokenizer;

import java.util.Arrays;

/**
 * A changed text, with the place in the prompt that each of its characters comes from. Immutable.
 */
final class AlignedText {
    /** Far longer than the longest prompt after usual steps; hostile steps could double it again and again. */
    static final int LONGEST = 1 << 18;

    private final String text;
    private final int[] origins;

    private AlignedText(String text, int[] origins) {
        this.text = text;
        this.origins = origins;
    }

    /** The text became longer than {@link #LONGEST} characters. */
    static final class TooLongException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static AlignedText of(String prompt) {
        int[] origins = new int[prompt.length()];
        Arrays.setAll(origins, i -> i);
        return new AlignedText(prompt, origins);
    }

    String text() {
        return text;
    }

    int length() {
        return text.length();
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    /** Where in the prompt the character at an index comes from. */
    int origin(int index) {
        return origins[index];
    }

    /** The characters {@code from} (inclusive) to {@code to} (exclusive). */
    AlignedText slice(int from, int to) {
        return from == 0 && to == text.length() ? this
            : new AlignedText(text.substring(from, to), Arrays.copyOfRange(origins, from, to));
    }

    /** Builds a changed text from front to back. */
    static final class Builder {
        private final AlignedText source;
        private final StringBuilder text;
        private int[] origins;

        Builder(AlignedText source) {
            this.source = source;
            this.text = new StringBuilder(source.length() + 16);
            this.origins = new int[source.length() + 16];
        }

        /** Takes characters of the source as they are. */
        Builder keep(int from, int to) {
            makeRoom(to - from);
            System.arraycopy(source.origins, from, origins, text.length(), to - from);
            text.append(source.text, from, to);
            return this;
        }

        /** Adds characters that replace the one at an index of the source, or are inserted before it. */
        Builder put(CharSequence added, int index) {
            makeRoom(added.length());
            int origin = source.isEmpty() ? 0 : source.origins[Math.min(index, source.length() - 1)];
            Arrays.fill(origins, text.length(), text.length() + added.length(), origin);
            text.append(added);
            return this;
        }

        private void makeRoom(int count) {
            long wanted = (long) text.length() + count;
            if (wanted > LONGEST) {
                throw new TooLongException();
            }
            if (wanted > origins.length) {
                origins = Arrays.copyOf(origins, (int) Math.max(wanted, 2L * origins.length));
            }
        }

        AlignedText build() {
            return new AlignedText(text.toString(), Arrays.copyOf(origins, text.length()));
        }
    }
}
