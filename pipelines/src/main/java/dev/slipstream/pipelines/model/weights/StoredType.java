package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.DataType;
import java.util.Arrays;
import java.util.Optional;

/**
 * Element types of the safetensors format, with the format's own names. Tensors of all of them can be read as bytes.
 * Types of less than a byte ({@code F4}, {@code F6_E2M3}, {@code F6_E3M2}) are refused.
 */
public enum StoredType {
    F64(8, null), F32(4, DataType.FLOAT32), F16(2, DataType.FLOAT16), BF16(2, DataType.BFLOAT16),
    /** Eight bits with four of exponent, as in quantised checkpoints. */
    F8_E4M3(1, null),
    /** Eight bits with five of exponent. */
    F8_E5M2(1, null),
    /** Eight bits of exponent, the scales of block-quantised weights. */
    F8_E8M0(1, null),
    I64(8, DataType.INT64), I32(4, DataType.INT32), I16(2, null), I8(1, null),
    U64(8, null), U32(4, null), U16(2, null), U8(1, null), BOOL(1, DataType.BOOL),
    /** Two F32: the real and the imaginary part. */
    C64(8, null);

    private final int bytes;
    private final DataType dataType;

    StoredType(int bytes, DataType dataType) {
        this.bytes = bytes;
        this.dataType = dataType;
    }

    /** Whether each element is a number with a fraction of its own. */
    public boolean isFloatingPoint() {
        return switch (this) {
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2 -> true;
            default -> false;
        };
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** The type that is called so in engines. */
    public static StoredType of(DataType type) {
        return Arrays.stream(values()).filter(stored -> stored.dataType == type).findFirst().orElseThrow();
    }

    /** The same type in engines; empty if they have none. */
    public Optional<DataType> dataType() {
        return Optional.ofNullable(dataType);
    }
}
