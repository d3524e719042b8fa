package dev.slipstream.bridge.contract;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Small ONNX graphs for tests, made in code. A dimension is a number, or a name if it is open.
 */
public final class TestModels {
    private TestModels() {
    }

    /** {@code y = 2·x + 1} on float32. */
    public static byte[] affine(Object... dims) {
        return model(graph("affine")
            .addInput(value("x", TensorProto.DataType.FLOAT, dims))
            .addInitializer(scalar("two", 2)).addInitializer(scalar("one", 1))
            .addNode(node("Mul", List.of("x", "two"), "doubled")).addNode(node("Add", List.of("doubled", "one"), "y"))
            .addOutput(value("y", TensorProto.DataType.FLOAT, dims)));
    }

    /** {@code sum = a + b} and {@code difference = a - b} on float32. */
    public static byte[] sumAndDifference(Object... dims) {
        return model(graph("sum_and_difference")
            .addInput(value("b", TensorProto.DataType.FLOAT, dims))
            .addInput(value("a", TensorProto.DataType.FLOAT, dims))
            .addNode(node("Add", List.of("a", "b"), "sum")).addNode(node("Sub", List.of("a", "b"), "difference"))
            .addOutput(value("sum", TensorProto.DataType.FLOAT, dims))
            .addOutput(value("difference", TensorProto.DataType.FLOAT, dims)));
    }

    /** {@code y = x} for any type. */
    public static byte[] identity(TensorProto.DataType type, Object... dims) {
        return model(graph("identity").addInput(value("x", type, dims)).addNode(node("Identity", List.of("x"), "y"))
            .addOutput(value("y", type, dims)));
    }

    /** {@code y = x[index]}: fails while it runs if the index is 4 or more. */
    public static byte[] pick() {
        return model(graph("pick").addInput(value("x", TensorProto.DataType.FLOAT, 4))
            .addInput(value("index", TensorProto.DataType.INT64, 1))
            .addNode(node("Gather", List.of("x", "index"), "y")).addOutput(value("y", TensorProto.DataType.FLOAT, 1)));
    }

    /** {@code y} is x squared as a matrix, many times over: takes a while. */
    public static byte[] slow(int size, int times) {
        GraphProto.Builder graph = graph("slow").addInput(value("x", TensorProto.DataType.FLOAT, size, size));
        for (int i = 0; i < times; i++) {
            String from = i == 0 ? "x" : "product" + (i - 1);
            graph.addNode(node("MatMul", List.of(from, "x"), i == times - 1 ? "y" : "product" + i));
        }
        return model(graph.addOutput(value("y", TensorProto.DataType.FLOAT, size, size)));
    }

    /** {@code y = x + w} with {@code w} in the file {@code weights.bin}, which this writes to the folder. */
    public static byte[] addExternal(Path folder, float... weights) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(weights.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(weights);
        Files.write(folder.resolve("weights.bin"), bytes.array());
        TensorProto.Builder external = TensorProto.newBuilder().setName("w").addDims(weights.length)
            .setDataType(TensorProto.DataType.FLOAT.getNumber()).setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", "weights.bin")).addExternalData(entry("offset", "0"))
            .addExternalData(entry("length", Integer.toString(bytes.capacity())));
        return model(graph("add_external").addInput(value("x", TensorProto.DataType.FLOAT, weights.length))
            .addInitializer(external).addNode(node("Add", List.of("x", "w"), "y"))
            .addOutput(value("y", TensorProto.DataType.FLOAT, weights.length)));
    }

    /**
     * Weights that are the outputs.
     *
     * @param external the names of those that lie in the file {@code external.bin}, which this writes to the folder
     */
    public static byte[] constants(Path folder, Map<String, float[]> weights, Set<String> external)
            throws IOException {
        GraphProto.Builder graph = graph("constants");
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        weights.forEach((name, values) -> {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).addDims(values.length)
                .setDataType(TensorProto.DataType.FLOAT.getNumber());
            if (external.contains(name)) {
                tensor.setDataLocation(TensorProto.DataLocation.EXTERNAL).addExternalData(entry("location",
                    "external.bin")).addExternalData(entry("offset", Integer.toString(file.size())))
                    .addExternalData(entry("length", Integer.toString(bytes.capacity())));
                file.writeBytes(bytes.array());
            } else {
                tensor.setRawData(ByteString.copyFrom(bytes));
            }
            graph.addInitializer(tensor).addOutput(value(name, TensorProto.DataType.FLOAT, values.length));
        });
        Files.write(folder.resolve("external.bin"), file.toByteArray());
        return model(graph);
    }

    /** {@code y = x + internal + external}, the last one in the file {@code external.bin}. */
    public static byte[] addInternalAndExternal(Path folder, int count) throws IOException {
        Map<String, float[]> weights = new LinkedHashMap<>();
        for (String name : List.of("internal", "external")) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (i + name.length()) % 77 / 77f;
            }
            weights.put(name, values);
        }
        GraphProto.Builder graph = ModelProto.parseFrom(constants(folder, weights, Set.of("external")))
            .getGraph().toBuilder().clearOutput();
        return model(graph.addInput(value("x", TensorProto.DataType.FLOAT, count))
            .addNode(node("Add", List.of("x", "internal"), "sum")).addNode(node("Add", List.of("sum", "external"), "y"))
            .addOutput(value("y", TensorProto.DataType.FLOAT, count)));
    }

    /**
     * {@code y = x·w} for vectors of {@code size}, with {@code w} in the file {@code product.bin}, which this writes to
     * the folder.
     *
     * @param halves whether it is stored as float16, and cast by the graph
     */
    public static byte[] product(Path folder, int size, boolean halves) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size * size * (halves ? Short.BYTES : Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < size * size; i++) {
            float value = i * 31 % 101 / 64f - 0.75f;
            if (halves) {
                bytes.putShort(Float.floatToFloat16(value));
            } else {
                bytes.putFloat(value);
            }
        }
        Files.write(folder.resolve("product.bin"), bytes.array());
        TensorProto.DataType stored = halves ? TensorProto.DataType.FLOAT16 : TensorProto.DataType.FLOAT;
        GraphProto.Builder graph = graph("product").addInput(value("x", TensorProto.DataType.FLOAT, 1, size))
            .addInitializer(TensorProto.newBuilder().setName(halves ? "stored" : "w").addDims(size).addDims(size)
                .setDataType(stored.getNumber()).setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", "product.bin")).addExternalData(entry("offset", "0"))
                .addExternalData(entry("length", Integer.toString(bytes.capacity()))));
        if (halves) {
            graph.addNode(node("Cast", List.of("stored"), "w").toBuilder().addAttribute(AttributeProto.newBuilder()
                .setName("to").setType(AttributeProto.AttributeType.INT)
                .setI(TensorProto.DataType.FLOAT.getNumber())));
        }
        return model(graph.addNode(node("MatMul", List.of("x", "w"), "y"))
            .addOutput(value("y", TensorProto.DataType.FLOAT, 1, size)));
    }

    /** A graph that leads nowhere. */
    public static byte[] withoutOutputs() {
        return model(graph("nothing").addInput(value("x", TensorProto.DataType.FLOAT, 1)));
    }

    private static GraphProto.Builder graph(String name) {
        return GraphProto.newBuilder().setName(name);
    }

    private static NodeProto node(String operation, List<String> inputs, String output) {
        return NodeProto.newBuilder().setOpType(operation).addAllInput(inputs).addOutput(output).build();
    }

    private static TensorProto scalar(String name, float value) {
        return TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT.getNumber())
            .addFloatData(value).build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static ValueInfoProto value(String name, TensorProto.DataType type, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            switch (dim) {
                case String open -> shape.addDimBuilder().setDimParam(open);
                case Number known -> shape.addDimBuilder().setDimValue(known.longValue());
                default -> throw new IllegalArgumentException(dim + " is neither a number nor a name");
            }
        }
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder()
            .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape))).build();
    }

    private static byte[] model(GraphProto.Builder graph) {
        return ModelProto.newBuilder().setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
            .setGraph(graph).build().toByteArray();
    }
}
