package dev.slipstream.pipelines.graph.tensor;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import java.util.Optional;

/**
 * Element types that shape arithmetic may pass through: those of the devices, and a few more that constants have on
 * the way to becoming one of them.
 */
public enum ElementType {
    FLOAT32(TensorProto.DataType.FLOAT, 4, true),
    FLOAT16(TensorProto.DataType.FLOAT16, 2, true),
    BFLOAT16(TensorProto.DataType.BFLOAT16, 2, true),
    FLOAT64(TensorProto.DataType.DOUBLE, 8, true),
    INT64(TensorProto.DataType.INT64, 8, false),
    INT32(TensorProto.DataType.INT32, 4, false),
    INT16(TensorProto.DataType.INT16, 2, false),
    INT8(TensorProto.DataType.INT8, 1, false),
    UINT16(TensorProto.DataType.UINT16, 2, false),
    UINT8(TensorProto.DataType.UINT8, 1, false),
    BOOL(TensorProto.DataType.BOOL, 1, false);

    private final TensorProto.DataType proto;
    private final int bytes;
    private final boolean real;

    ElementType(TensorProto.DataType proto, int bytes, boolean real) {
        this.proto = proto;
        this.bytes = bytes;
        this.real = real;
    }

    public static ElementType of(DataType type) {
        return valueOf(type.name());
    }

    /** The type with this number in ONNX files; empty for types that are not handled, such as strings. */
    public static Optional<ElementType> ofCode(int code) {
        for (ElementType type : values()) {
            if (type.code() == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    public int code() {
        return proto.getNumber();
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are floating-point numbers. */
    public boolean isReal() {
        return real;
    }

    /** The type as devices see it; empty where they have none. */
    public Optional<DataType> onDevices() {
        return switch (this) {
            case FLOAT32 -> Optional.of(DataType.FLOAT32);
            case FLOAT16 -> Optional.of(DataType.FLOAT16);
            case BFLOAT16 -> Optional.of(DataType.BFLOAT16);
            case INT64 -> Optional.of(DataType.INT64);
            case INT32 -> Optional.of(DataType.INT32);
            case BOOL -> Optional.of(DataType.BOOL);
            case FLOAT64, INT16, INT8, UINT16, UINT8 -> Optional.empty();
        };
    }

    /**
     * The nearest value of this type. Rounding the double result of one operation is the same as doing the operation
     * in float32, because a double has more than twice its bits. Halves are rounded by way of float32, as engines do.
     */
    public double round(double value) {
        return switch (this) {
            case FLOAT64 -> value;
            case FLOAT16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
            case BFLOAT16 -> Float.intBitsToFloat(BFloat16.ofFloat((float) value) << 16);
            default -> (float) value;
        };
    }

    /** The value that is left when only the bits of this type are kept. */
    public long wrap(long value) {
        return switch (this) {
            case INT32 -> (int) value;
            case INT16 -> (short) value;
            case INT8 -> (byte) value;
            case UINT16 -> value & 0xffff;
            case UINT8 -> value & 0xff;
            case BOOL -> value == 0 ? 0 : 1;
            default -> value;
        };
    }
}
