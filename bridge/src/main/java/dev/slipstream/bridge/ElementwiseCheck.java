package dev.slipstream.bridge;

import java.util.List;

/** What is asked of the slices of work that goes through {@code float32} tensors element by element. */
final class ElementwiseCheck {
    private ElementwiseCheck() {
    }

    /** @throws IllegalArgumentException if an input does not fit the output, or a slice does not begin at an element */
    static void require(Slice out, List<Slice> inputs) {
        if (out.bytes() % Float.BYTES != 0) {
            throw new IllegalArgumentException(out.bytes() + " bytes are no whole number of float32 elements");
        }
        requireAligned(out);
        for (Slice input : inputs) {
            requireAligned(input);
            if (!input.equals(out) && input.overlaps(out)) {
                throw new IllegalArgumentException("an input overlaps the output in part: " + input + ", " + out);
            }
            if (input.bytes() != out.bytes()) {
                throw new IllegalArgumentException(
                    "an input has " + input.bytes() + " bytes, the output " + out.bytes());
            }
            if (input.buffer().device() != out.buffer().device()) {
                throw new IllegalArgumentException("an input is on " + input.buffer().device().name()
                    + ", the output on " + out.buffer().device().name());
            }
        }
    }

    private static void requireAligned(Slice slice) {
        if (slice.offset() % Float.BYTES != 0) {
            throw new IllegalArgumentException("byte " + slice.offset() + " is no beginning of a float32 element");
        }
    }
}
