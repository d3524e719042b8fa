package dev.slipstream.pipelines.tokenizer;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A hash table from {@code long} to a non-negative {@code int}, without boxing. Keys are mixed with a random number, so
 * that no file can choose keys that collide.
 */
final class LongTable {
    static final int NONE = -1;

    private final long salt = ThreadLocalRandom.current().nextLong();
    private long[] keys;
    private int[] values;
    private int size;

    /** @param expected number of entries; the table grows if there are more */
    LongTable(int expected) {
        int capacity = Integer.highestOneBit(Math.max(8, expected)) * 4;
        keys = new long[capacity];
        values = new int[capacity];
        Arrays.fill(values, NONE);
    }

    /** {@link #NONE} if there is no such key. */
    int get(long key) {
        return values[place(key)];
    }

    void put(long key, int value) {
        int place = place(key);
        boolean isNew = values[place] == NONE;
        keys[place] = key;
        values[place] = value;
        if (isNew && ++size > keys.length / 2) {
            grow();
        }
    }

    private int place(long key) {
        long mixed = (key ^ salt) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ mixed >>> 32) * 0xD6E8FEB86659FD93L;
        int place = (int) (mixed >>> 32) & keys.length - 1;
        while (values[place] != NONE && keys[place] != key) {
            place = place + 1 & keys.length - 1;
        }
        return place;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[oldKeys.length * 2];
        values = new int[keys.length];
        Arrays.fill(values, NONE);
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldValues[i] != NONE) {
                int place = place(oldKeys[i]);
                keys[place] = oldKeys[i];
                values[place] = oldValues[i];
            }
        }
    }
}
