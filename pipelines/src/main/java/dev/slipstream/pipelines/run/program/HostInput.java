package dev.slipstream.pipelines.run.program;

import dev.slipstream.bridge.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/** What the host writes to a device before the loop starts. */
public sealed interface HostInput {
    Region to();

    /**
     * The bytes to write.
     *
     * @param given the tensors that the caller gives, by name
     * @param arena where bytes are allocated that are not the caller's
     * @throws IllegalArgumentException if a tensor that the loop needs is missing or too short
     */
    MemorySegment bytes(Map<String, MemorySegment> given, Arena arena);

    /** Part of a tensor that the caller gives: {@code to().bytes()} bytes from {@code from} on. */
    record Given(String tensor, long from, Region to) implements HostInput {
        @Override
        public MemorySegment bytes(Map<String, MemorySegment> given, Arena arena) {
            MemorySegment bytes = given.get(tensor);
            if (bytes == null || bytes.byteSize() < from + to.bytes()) {
                throw new IllegalArgumentException("the loop needs " + (from + to.bytes()) + " bytes of '" + tensor
                    + "', " + (bytes == null ? "none were given" : bytes.byteSize() + " were given"));
            }
            return bytes.asSlice(from, to.bytes());
        }
    }

    /** The mark of a device's finite checks: an int32 that is greater than every label. */
    record Mark(Region to) implements HostInput {
        @Override
        public MemorySegment bytes(Map<String, MemorySegment> given, Arena arena) {
            return arena.allocateFrom(ValueLayout.JAVA_INT, Integer.MAX_VALUE);
        }
    }

    /** Zeros, for what is not made. */
    record Zeros(Region to) implements HostInput {
        @Override
        public MemorySegment bytes(Map<String, MemorySegment> given, Arena arena) {
            return arena.allocate(to.bytes(), 8);
        }
    }

    /** A timestep, in every element of a tensor of this type. */
    record Timestep(double value, TensorType type, Region to) implements HostInput {
        @Override
        public MemorySegment bytes(Map<String, MemorySegment> given, Arena arena) {
            MemorySegment bytes = arena.allocate(type.bytes(), 8);
            for (long i = 0; i < type.shape().elements(); i++) {
                switch (type.type()) {
                    case FLOAT32 -> bytes.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
                    case FLOAT16 -> bytes.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) value));
                    // Denoisers with whole timesteps are given fractional ones cut off, as exporters' own pipelines do.
                    case INT64 -> bytes.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
                    case INT32 -> bytes.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
                    case BFLOAT16, BOOL -> throw new IllegalArgumentException(
                        "a timestep of type " + type.type() + " is not supported");
                }
            }
            return bytes;
        }
    }
}
