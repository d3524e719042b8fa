package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.Shape;

/**
 * A tensor of a safetensors file without its elements.
 *
 * @param type element type
 * @param shape dimensions, all known
 */
public record TensorOutline(StoredType type, Shape shape) {
    /** Bytes of all elements. @throws ArithmeticException if they are more than a file can have */
    public long bytes() {
        return Math.multiplyExact(shape.elements(), (long) type.bytes());
    }
}
