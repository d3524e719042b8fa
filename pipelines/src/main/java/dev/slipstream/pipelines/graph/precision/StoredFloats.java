package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.GraphException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;

/** The numbers of a float32, float16 or bfloat16 weight that lies in the model, in either of ONNX's two layouts. */
final class StoredFloats {
    private final int size;
    /** Bits of a float32 by index. */
    private final IntUnaryOperator bits;

    private StoredFloats(int size, IntUnaryOperator bits) {
        this.size = size;
        this.bits = bits;
    }

    static StoredFloats of(TensorProto weight) {
        boolean raw = weight.hasRawData();
        ByteBuffer bytes = weight.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        int size = Math.toIntExact(weight.getDimsList().stream().reduce(1L, Math::multiplyExact));
        TensorProto.DataType type = TensorProto.DataType.forNumber(weight.getDataType());
        boolean isFloat = type == TensorProto.DataType.FLOAT;
        int stored = raw ? bytes.remaining() / (isFloat ? Float.BYTES : Short.BYTES)
            : isFloat ? weight.getFloatDataCount() : weight.getInt32DataCount();
        if (stored != size) {
            throw new GraphException("weight '" + weight.getName() + "' should have " + size + " elements but holds "
                + stored + "; the file is damaged");
        }
        IntUnaryOperator half = raw ? index -> bytes.getShort(index * Short.BYTES)
            : index -> weight.getInt32Data(index);
        IntUnaryOperator bits = switch (type) {
            case FLOAT -> raw ? index -> bytes.getInt(index * Float.BYTES)
                : index -> Float.floatToRawIntBits(weight.getFloatData(index));
            case FLOAT16 -> index -> Float.floatToRawIntBits(Float.float16ToFloat((short) half.applyAsInt(index)));
            case BFLOAT16 -> index -> half.applyAsInt(index) << 16;
            case null, default -> throw new IllegalArgumentException("weight '" + weight.getName() + "' is " + type);
        };
        return new StoredFloats(size, bits);
    }

    int size() {
        return size;
    }

    float at(int index) {
        return Float.intBitsToFloat(bits.applyAsInt(index));
    }
}
