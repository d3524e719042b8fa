package dev.slipstream.pipelines.graph.tensor;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.LongStream;

/** Arithmetic on dimensions, outermost first. */
public final class Dims {
    private Dims() {
    }

    public static long product(long[] dims) {
        return product(dims, 0, dims.length);
    }

    /** Product of the dimensions {@code from} (inclusive) to {@code to} (exclusive). */
    public static long product(long[] dims, int from, int to) {
        long product = 1;
        for (int i = from; i < to; i++) {
            product = Math.multiplyExact(product, dims[i]);
        }
        return product;
    }

    /** How far apart in memory neighbours along each dimension are, in elements, dense and row-major. */
    public static long[] strides(long[] dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dims[i];
        }
        return strides;
    }

    /** What dimensions broadcast to, as in NumPy; empty if they do not fit. */
    public static Optional<long[]> broadcast(long[] left, long[] right) {
        long[] longer = left.length >= right.length ? left : right;
        long[] shorter = longer == left ? right : left;
        long[] result = longer.clone();
        int shift = longer.length - shorter.length;
        for (int i = 0; i < shorter.length; i++) {
            long a = longer[i + shift];
            long b = shorter[i];
            if (a != b && a != 1 && b != 1) {
                return Optional.empty();
            }
            result[i + shift] = a == 1 ? b : a;
        }
        return Optional.of(result);
    }

    /** Strides to read a tensor as if it were broadcast to a larger shape: zero along what is repeated. */
    public static long[] broadcastStrides(long[] from, long[] to) {
        long[] own = strides(from);
        long[] strides = new long[to.length];
        int shift = to.length - from.length;
        for (int i = 0; i < from.length; i++) {
            strides[i + shift] = from[i] == 1 ? 0 : own[i];
        }
        return strides;
    }

    /** Where element {@code index} of a dense tensor lies in one with other strides. */
    public static long offset(long index, long[] dims, long[] strides) {
        long rest = index;
        long offset = 0;
        for (int i = dims.length - 1; i >= 0; i--) {
            offset += rest % dims[i] * strides[i];
            rest /= dims[i];
        }
        return offset;
    }

    public static long[] concat(long[]... parts) {
        return Arrays.stream(parts).flatMapToLong(LongStream::of).toArray();
    }

    public static long[] from(long[] dims, int start) {
        return Arrays.copyOfRange(dims, start, dims.length);
    }

    public static long[] with(long[] dims, int index, long dim) {
        long[] changed = dims.clone();
        changed[index] = dim;
        return changed;
    }
}
