package dev.slipstream.bridge.cpu;

import java.util.BitSet;
import java.util.Locale;
import java.util.Optional;

/**
 * Which share of the cores a device is: what comes after {@code cpu:}, as {@link dev.slipstream.bridge.DeviceSpec}
 * explains it.
 *
 * @param threads that compute at the same time, the stream's own among them
 * @param cores by the system's numbers, that these threads keep to; empty if the system chooses
 */
record CpuShare(int threads, Spin spin, BitSet cores) {
    /** Whether a thread that waits for the others of its device keeps its core meanwhile. */
    enum Spin {
        /** While nobody else wants the core. */
        AUTO,
        ON,
        OFF
    }

    /** So many threads, anywhere. */
    static CpuShare of(int threads) {
        return new CpuShare(threads, Spin.AUTO, new BitSet());
    }

    /** @return empty if it is written otherwise; whether there are such cores is not looked at */
    static Optional<CpuShare> parse(String selector) {
        try {
            String[] parts = selector.split(":", -1);
            CpuShare share = of(selector.isEmpty() ? 1 : Integer.parseInt(parts[0]));
            for (int i = 1; i < parts.length; i++) {
                share = share.with(parts[i]);
            }
            return Optional.of(share);
        } catch (IllegalArgumentException otherwise) {
            return Optional.empty();
        }
    }

    private CpuShare with(String option) {
        if (option.startsWith("spin=")) {
            String how = option.substring("spin=".length());
            if (!how.equals(how.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException(how);
            }
            return new CpuShare(threads, Spin.valueOf(how.toUpperCase(Locale.ROOT)), cores);
        }
        if (option.startsWith("cores=")) {
            return new CpuShare(threads, spin, numbers(option.substring("cores=".length())));
        }
        throw new IllegalArgumentException(option);
    }

    /** Numbers and ranges like {@code 0-3+8}. */
    private static BitSet numbers(String list) {
        BitSet numbers = new BitSet();
        for (String part : list.split("\\+", -1)) {
            String[] ends = part.split("-", -1);
            int first = Integer.parseUnsignedInt(ends[0]);
            int last = Integer.parseUnsignedInt(ends[ends.length - 1]);
            if (ends.length > 2 || last < first || last >= Cores.MOST) {
                throw new IllegalArgumentException(part);
            }
            numbers.set(first, last + 1);
        }
        return numbers;
    }
}
