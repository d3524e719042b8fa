package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.slipstream.pipelines.graph.tensor.BFloat16;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** A tensor in a test: type and little-endian bytes. */
record Value(ValueType type, ByteString bytes) {
    static Value of(TensorProto tensor) {
        return new Value(ConstantProtos.type(tensor).orElseThrow(), tensor.getRawData());
    }

    static Value of(Constant constant) {
        return of(ConstantProtos.write("", constant));
    }

    static Value integers(ElementType element, long[] dims, long... values) {
        return of(Constant.of(ValueType.of(element, dims), values));
    }

    static Value list(long... values) {
        return integers(ElementType.INT64, new long[] {values.length}, values);
    }

    static Value scalar(long value) {
        return integers(ElementType.INT64, new long[0], value);
    }

    static Value reals(ElementType element, long[] dims, double... values) {
        return of(Constant.of(ValueType.of(element, dims),
            Arrays.stream(values).mapToLong(value -> Double.doubleToRawLongBits(element.round(value))).toArray()));
    }

    /** Reals are standard normal, integers from -9 to 9, both as the seed says. */
    static Value random(ValueType type, long seed) {
        Random random = new Random(seed);
        ElementType element = type.element();
        int count = Math.toIntExact(type.elements());
        ByteBuffer bytes = ByteBuffer.allocate(count * element.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            float real = (float) random.nextGaussian();
            int integer = random.nextInt(-9, 10);
            switch (element) {
                case FLOAT32 -> bytes.putFloat(real);
                case FLOAT64 -> bytes.putDouble(real);
                case FLOAT16 -> bytes.putShort(Float.floatToFloat16(real));
                case BFLOAT16 -> bytes.putShort((short) BFloat16.ofFloat(real));
                case INT64 -> bytes.putLong(integer);
                case INT32 -> bytes.putInt(integer);
                case INT16, UINT16 -> bytes.putShort((short) integer);
                case INT8, UINT8 -> bytes.put((byte) integer);
                case BOOL -> bytes.put((byte) (integer & 1));
            }
        }
        return new Value(type, ByteString.copyFrom(bytes.flip()));
    }

    TensorProto proto(String name) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.element().code());
        Arrays.stream(type.dims()).forEach(tensor::addDims);
        return tensor.setRawData(bytes).build();
    }

    @Override
    public String toString() {
        return type.toString();
    }
}
