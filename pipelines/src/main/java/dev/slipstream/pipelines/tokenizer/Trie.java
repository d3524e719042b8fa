package dev.slipstream.pipelines.tokenizer;

import java.util.Arrays;

/** Texts with a number each, by prefix: one walk finds all texts that begin at a place. */
final class Trie {
    static final int ROOT = 0;
    static final int NONE = LongTable.NONE;
    /** Tokens of real vocabularies have some dozen characters; a search takes that many steps for each of a text. */
    static final int LONGEST = 256;

    private final LongTable children = new LongTable(64);
    private int[] values = {NONE};
    private int nodes = 1;

    /** A later number replaces an earlier one for the same text. */
    void put(String text, int value) {
        int node = ROOT;
        for (int i = 0; i < text.length(); i++) {
            int child = child(node, text.charAt(i));
            node = child == NONE ? newChild(node, text.charAt(i)) : child;
        }
        values[node] = value;
    }

    private int newChild(int node, char c) {
        if (nodes == values.length) {
            values = Arrays.copyOf(values, nodes * 2);
        }
        values[nodes] = NONE;
        children.put(key(node, c), nodes);
        return nodes++;
    }

    /** {@link #NONE} if no text continues with this character. */
    int child(int node, char c) {
        return children.get(key(node, c));
    }

    /** The number of the text that ends here, or {@link #NONE}. */
    int value(int node) {
        return values[node];
    }

    /** The number of this text, or {@link #NONE}. */
    int get(String text) {
        int node = ROOT;
        for (int i = 0; i < text.length() && node != NONE; i++) {
            node = child(node, text.charAt(i));
        }
        return node == NONE ? NONE : values[node];
    }

    private static long key(int node, char c) {
        return (long) node << Character.SIZE | c;
    }
}
