package dev.slipstream.bridge;

/** Bytes on a device, seen as a dense row-major tensor. It owns nothing. */
public record Tensor(Slice slice, TensorType type) {
    public Tensor {
        if (slice.bytes() != type.bytes()) {
            throw new IllegalArgumentException(
                "a tensor " + type + " needs " + type.bytes() + " bytes, the slice has " + slice.bytes());
        }
    }
}
