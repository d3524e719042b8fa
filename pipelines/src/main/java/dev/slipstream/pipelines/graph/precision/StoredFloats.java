package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.GraphException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.LongToIntFunction;

/** The numbers of a float32, float16 or bfloat16 weight, in the model or in another file. */
final class StoredFloats {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final long size;
    /** Bits of a float32 by index. */
    private final LongToIntFunction bits;

    private StoredFloats(TensorProto weight, long stored, LongToIntFunction bits) {
        this.size = weight.getDimsList().stream().reduce(1L, Math::multiplyExact);
        this.bits = bits;
        if (stored != size) {
            throw new GraphException("weight '" + weight.getName() + "' should have " + size + " elements but holds "
                + stored + "; the file is damaged");
        }
    }

    static boolean isHalf(int type) {
        return type == DataType.FLOAT16_VALUE || type == DataType.BFLOAT16_VALUE;
    }

    /** Those of a weight that lies in the model, in either of ONNX's two layouts. */
    static StoredFloats of(TensorProto weight) {
        if (weight.hasRawData()) {
            return of(weight, MemorySegment.ofBuffer(weight.getRawData().asReadOnlyByteBuffer()));
        }
        if (isHalf(weight.getDataType())) {
            return new StoredFloats(weight, weight.getInt32DataCount(),
                widened(weight.getDataType(), index -> weight.getInt32Data((int) index)));
        }
        return new StoredFloats(weight, weight.getFloatDataCount(),
            index -> Float.floatToRawIntBits(weight.getFloatData((int) index)));
    }

    /** @param bytes of the weight, readable as long as its numbers are needed */
    static StoredFloats of(TensorProto weight, MemorySegment bytes) {
        if (isHalf(weight.getDataType())) {
            return new StoredFloats(weight, bytes.byteSize() / Short.BYTES,
                widened(weight.getDataType(), index -> bytes.get(SHORT, index * Short.BYTES)));
        }
        return new StoredFloats(weight, bytes.byteSize() / Float.BYTES,
            index -> bytes.get(INT, index * Float.BYTES));
    }

    private static LongToIntFunction widened(int type, LongToIntFunction half) {
        return type == DataType.BFLOAT16_VALUE ? index -> half.applyAsInt(index) << 16
            : index -> Float.floatToRawIntBits(Float.float16ToFloat((short) half.applyAsInt(index)));
    }

    long size() {
        return size;
    }

    float at(long index) {
        return Float.intBitsToFloat(bits.applyAsInt(index));
    }
}
