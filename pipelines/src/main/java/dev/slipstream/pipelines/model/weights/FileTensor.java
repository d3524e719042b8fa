package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.tensor.BFloat16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A tensor of a {@link TensorFile}: its values lie in the file as they are, or are computed from what does. It owns
 * nothing and can be read as long as the file is open.
 *
 * @param shape dimensions, outermost first
 * @param coding how the values are stored
 * @param data the stored bytes
 * @param offset of the first of them in the file
 */
public record FileTensor(Shape shape, Coding coding, MemorySegment data, long offset) {
    private static final ValueLayout.OfFloat FLOAT =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** How values are stored. */
    public sealed interface Coding {
        /** The type in which values are handed on; it holds each of them exactly. */
        StoredType type();

        /** As they are. */
        record Plain(StoredType type) implements Coding {
        }

        /** Numbers of eight bits, as they are; every one of them is a bfloat16 as well. */
        record Float8(StoredType stored) implements Coding {
            @Override
            public StoredType type() {
                return StoredType.BF16;
            }
        }

        /** Numbers of eight bits, each to be multiplied with one number in fp32. */
        record ScaledFloat8(StoredType stored, float scale) implements Coding {
            @Override
            public StoredType type() {
                return StoredType.F32;
            }
        }

        /** GGUF's blocks. */
        record Blocks(BlockFormat format) implements Coding {
            @Override
            public StoredType type() {
                return StoredType.F32;
            }
        }
    }

    /** The type in which values are handed on. */
    public StoredType type() {
        return coding.type();
    }

    /** Whether the values lie in the file as they are handed on. */
    public boolean isPlain() {
        return coding instanceof Coding.Plain;
    }

    /** How the values are stored, in the words of the file's format: {@code BF16}, {@code F8_E4M3}, {@code Q4_K}. */
    public String storedAs() {
        return switch (coding) {
            case Coding.Plain it -> it.type.name();
            case Coding.Float8 it -> it.stored.name();
            case Coding.ScaledFloat8 it -> it.stored.name() + " with scale";
            case Coding.Blocks it -> it.format.name();
        };
    }

    /**
     * A run of values, row-major, little-endian, of {@link #type()}: a part of the mapped file, or computed anew.
     *
     * @param first of them
     * @param count how many; values that are computed lie on the heap
     */
    public MemorySegment values(long first, long count) {
        if (coding instanceof Coding.Plain plain) {
            return data.asSlice(first * plain.type.bytes(), count * plain.type.bytes());
        }
        float[] floats = floats(first, Math.toIntExact(count));
        if (type() == StoredType.F32) {
            MemorySegment values = MemorySegment.ofArray(new byte[Math.multiplyExact(floats.length, Float.BYTES)]);
            MemorySegment.copy(floats, 0, values, FLOAT, 0, floats.length);
            return values;
        }
        MemorySegment values = MemorySegment.ofArray(new byte[Math.multiplyExact(floats.length, Short.BYTES)]);
        for (int i = 0; i < floats.length; i++) {
            values.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2L * i,
                (short) BFloat16.ofFloat(floats[i]));
        }
        return values;
    }

    private float[] floats(long first, int count) {
        return switch (coding) {
            case Coding.Plain _ -> throw new IllegalStateException("plain values are not computed");
            case Coding.Float8 it -> codes(it.stored, first, count).toFloats();
            case Coding.ScaledFloat8 it -> {
                float[] values = codes(it.stored, first, count).toFloats();
                for (int i = 0; i < count; i++) {
                    values[i] *= it.scale;
                }
                yield values;
            }
            case Coding.Blocks it -> blocks(it.format, first, count);
        };
    }

    private StoredTensor codes(StoredType stored, long first, int count) {
        return new StoredTensor(stored, Shape.of(count), data.asSlice(first, count));
    }

    /** Blocks that lie inside the run go where they belong; the first and the last may only be in it in part. */
    private float[] blocks(BlockFormat format, long first, int count) {
        float[] values = new float[count];
        float[] one = new float[format.elements()];
        BlockFormat.Block block = new BlockFormat.Block(data);
        long end = first + count;
        for (long number = first / format.elements(); number * format.elements() < end; number++) {
            long begins = number * format.elements();
            block.at(number * format.bytes());
            if (begins >= first && begins + format.elements() <= end) {
                format.decode(block, values, (int) (begins - first));
            } else {
                format.decode(block, one, 0);
                int from = (int) Math.max(0, first - begins);
                int to = (int) Math.min(format.elements(), end - begins);
                System.arraycopy(one, from, values, (int) (begins + from - first), to - from);
            }
        }
        return values;
    }
}
