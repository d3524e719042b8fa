package dev.slipstream.bridge;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The dimensions of a tensor, outermost first. A dimension that is not known until a request comes is
 * {@link #UNKNOWN}. Immutable; prints as {@code [2, 4, 64, 64]}.
 */
public final class Shape {
    /** Stands for a dimension that an engine leaves open. */
    public static final long UNKNOWN = -1;

    private final long[] dims;

    private Shape(long[] dims) {
        this.dims = dims;
    }

    /** A shape of these dimensions; none make a scalar. */
    public static Shape of(long... dims) {
        for (long dim : dims) {
            if (dim < UNKNOWN) {
                throw new IllegalArgumentException("negative dimension in " + Arrays.toString(dims));
            }
        }
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    /** Dimension {@code index}, counted from the end if negative. */
    public long dim(int index) {
        return dims[index < 0 ? dims.length + index : index];
    }

    public long[] toArray() {
        return dims.clone();
    }

    /** Whether no dimension is {@link #UNKNOWN}. */
    public boolean isKnown() {
        return Arrays.stream(dims).allMatch(dim -> dim >= 0);
    }

    /** Number of elements; 1 for a scalar. @throws IllegalStateException if a dimension is unknown */
    public long elements() {
        long product = 1;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalStateException("shape " + this + " is not known yet");
            }
            product = Math.multiplyExact(product, dim);
        }
        return product;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.stream(dims).mapToObj(dim -> dim < 0 ? "?" : Long.toString(dim))
            .collect(Collectors.joining(", ", "[", "]"));
    }
}
