package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Map;

/** The bytes of host inputs: what the caller gave, and timesteps in the type that the denoiser takes. */
final class HostTensors {
    private final Map<String, MemorySegment> given;
    private final Arena arena = Arena.ofAuto();

    HostTensors(Map<String, MemorySegment> given) {
        this.given = given;
    }

    MemorySegment bytes(HostInput input) {
        return switch (input) {
            case HostInput.Given part -> {
                MemorySegment tensor = given.get(part.tensor());
                if (tensor == null || tensor.byteSize() < part.from() + part.to().bytes()) {
                    throw new IllegalArgumentException("the loop needs " + (part.from() + part.to().bytes())
                        + " bytes of '" + part.tensor() + "', " + (tensor == null ? "none were given"
                        : tensor.byteSize() + " were given"));
                }
                yield tensor.asSlice(part.from(), part.to().bytes());
            }
            case HostInput.Mark mark -> arena.allocateFrom(ValueLayout.JAVA_INT, Integer.MAX_VALUE);
            case HostInput.Timestep time -> timestep(time.value(), time.type());
        };
    }

    private MemorySegment timestep(double value, TensorType type) {
        MemorySegment bytes = arena.allocate(type.bytes(), 8);
        for (long i = 0; i < type.shape().elements(); i++) {
            switch (type.type()) {
                case FLOAT32 -> bytes.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
                case FLOAT16 -> bytes.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) value));
                // Denoisers with whole timesteps are given fractional ones cut off, as exporters' own pipelines do.
                case INT64 -> bytes.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
                case INT32 -> bytes.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
                case BFLOAT16, BOOL -> throw new IllegalArgumentException(
                    "a timestep of type " + DataType.class.getSimpleName() + " " + type.type() + " is not supported");
            }
        }
        return bytes;
    }

    /** Uploads read this memory on other threads; it must not be collected before they are done. */
    void keepUntilHere() {
        Reference.reachabilityFence(arena);
        Reference.reachabilityFence(given);
    }
}
