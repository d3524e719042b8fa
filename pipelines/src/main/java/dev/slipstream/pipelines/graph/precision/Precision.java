package dev.slipstream.pipelines.graph.precision;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.tensor.BFloat16;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The floating-point type in which a model does its work. */
public enum Precision {
    /** As the file has it. */
    FP32(DataType.FLOAT32, Float.POSITIVE_INFINITY),
    /** IEEE half: 11 significant bits, at most 65504. */
    FP16(DataType.FLOAT16, 65520),
    /** The upper half of a float32: 8 significant bits, the range of float32. */
    BF16(DataType.BFLOAT16, Float.intBitsToFloat(0x7f7f8000));

    private final DataType type;
    private final float overflow;

    Precision(DataType type, float overflow) {
        this.type = type;
        this.overflow = overflow;
    }

    /** @param text {@code fp32}, {@code fp16} or {@code bf16}. @throws IllegalArgumentException for anything else */
    public static Precision parse(String text) {
        return Stream.of(values()).filter(it -> it.toString().equals(text.strip().toLowerCase(Locale.ROOT))).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no precision '" + text + "'; take "
                + Stream.of(values()).map(Precision::toString).collect(Collectors.joining(", "))));
    }

    /** @throws IllegalArgumentException if no model computes in this type */
    public static Precision of(DataType type) {
        return Stream.of(values()).filter(it -> it.type == type).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no model computes in " + type + "; take "
                + Stream.of(values()).map(it -> it.type.toString()).collect(Collectors.joining(", "))));
    }

    /** Element type of the tensors that this precision narrows. */
    public DataType type() {
        return type;
    }

    /** Whether a number that is finite in float32 stays finite when rounded. */
    boolean holds(float value) {
        return !(Math.abs(value) >= overflow) || Float.isInfinite(value);
    }

    /** Bits of the nearest number of a narrow type, ties to even. */
    short bits(float value) {
        return switch (this) {
            case FP16 -> Float.floatToFloat16(value);
            case BF16 -> (short) BFloat16.ofFloat(value);
            case FP32 -> throw new IllegalStateException("a float32 does not fit in 16 bits");
        };
    }

    /** As the command line has it: {@code fp16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
