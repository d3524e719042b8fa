package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Numbers that a graph has in itself; equal ones are kept once. */
final class Constants {
    private final Map<String, TensorProto> protos = new LinkedHashMap<>();
    private final Map<ByteString, Value> known = new LinkedHashMap<>();
    private final Map<Filling, Value> filled = new HashMap<>();

    private record Filling(float value, int count) {
    }

    Collection<TensorProto> protos() {
        return protos.values();
    }

    Value integers(long... values) {
        ByteBuffer bytes = buffer(Long.BYTES * values.length);
        Arrays.stream(values).forEach(bytes::putLong);
        return add(DataType.INT64, Value.dims(values.length), bytes);
    }

    /** Without dimensions. */
    Value integer(long value) {
        return add(DataType.INT64, List.of(), buffer(Long.BYTES).putLong(value));
    }

    Value reals(List<Dim> dims, float... values) {
        ByteBuffer bytes = buffer(Float.BYTES * values.length);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return add(DataType.FLOAT32, dims, bytes);
    }

    /** The same number again and again. */
    Value filled(float value, int count) {
        return filled.computeIfAbsent(new Filling(value, count), key -> {
            float[] values = new float[count];
            Arrays.fill(values, value);
            return reals(Value.dims(count), values);
        });
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private Value add(DataType type, List<Dim> dims, ByteBuffer bytes) {
        ByteString data = ByteString.copyFrom(bytes.flip());
        ByteString key = ByteString.copyFromUtf8(Value.describe(type, dims)).concat(data);
        return known.computeIfAbsent(key, unknown -> {
            String name = "Constant_" + protos.size();
            protos.put(name, TensorProto.newBuilder().setName(name).setDataType(ElementType.of(type).code())
                .addAllDims(dims.stream().map(Dim::size).toList()).setRawData(data).build());
            return new Value(name, type, dims);
        });
    }
}
