package dev.slipstream.bridge;

import java.util.Objects;

/** Element type and shape of a tensor. */
public record TensorType(DataType type, Shape shape) {
    public TensorType {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(shape, "shape");
    }

    public static TensorType of(DataType type, long... dims) {
        return new TensorType(type, Shape.of(dims));
    }

    /** Bytes of the whole tensor, dense and row-major. @throws IllegalStateException if a dimension is unknown */
    public long bytes() {
        return Math.multiplyExact(shape.elements(), (long) type.bytes());
    }

    @Override
    public String toString() {
        return type.name().toLowerCase(java.util.Locale.ROOT) + shape;
    }
}
