package dev.slipstream.pipelines.graph.precision;

import static dev.slipstream.pipelines.graph.GraphSketch.integer;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A graph of 4×4 tensors grown by chance, with what precision hangs on: products, arithmetic, normalisations in one
 * operator and spelled out, softmax, sines, moving operators, casts, weights stored as halves. No step makes errors
 * much larger, so that results in two precisions can be compared.
 */
final class MixedGraph {
    private static final int SIDE = 4;
    /** With the usual one, rows of nearly equal numbers would come out as little but their rounding. */
    private static final AttributeProto LARGE_EPSILON = AttributeProto.newBuilder().setName("epsilon")
        .setType(AttributeProto.AttributeType.FLOAT).setF(0.5f).build();

    private final GraphSketch sketch = new GraphSketch();
    private final List<String> tensors = new ArrayList<>(List.of("sample", "time"));
    private final Random random;
    private int count;
    private String module = "";

    private MixedGraph(long seed) {
        random = new Random(seed);
    }

    static Graph of(long seed, int steps) {
        return new MixedGraph(seed).grow(steps);
    }

    static Map<String, OnnxTensor> inputs(long seed, OnnxRunner runner) throws OrtException {
        MixedGraph values = new MixedGraph(seed);
        return Map.of("sample", runner.tensor(values.values(SIDE * SIDE), SIDE, SIDE),
            "time", runner.tensor(values.values(SIDE * SIDE), SIDE, SIDE));
    }

    private Graph grow(int steps) {
        sketch.input("sample", SIDE, SIDE).input("time", SIDE, SIDE)
            .weight("half", new float[] {0.5f}).weight("epsilon", new float[] {0.5f}).weight("two", new float[] {2})
            .weight("w", values(SIDE * SIDE), SIDE, SIDE).weight("wide", values(2 * SIDE * SIDE), SIDE, 2 * SIDE)
            .weight("scale", values(SIDE), SIDE).weight(halves("stored"));
        for (int i = 0; i < steps; i++) {
            module = "/c" + i * 4 / steps;
            tensors.add(step());
        }
        // One of the outputs is read by others, too.
        Stream.of(tensors.getLast(), tensors.get(2)).distinct()
            .forEach(output -> sketch.output(output, SIDE, SIDE));
        Graph graph = sketch.build();
        return StaticShapes.fix(graph, InputTypes.of(graph, Map.of()));
    }

    private String step() {
        String a = read();
        String b = read();
        return switch (random.nextInt(15)) {
            case 0, 1 -> add("Mul", add("Add", a, b), "half");
            case 2 -> add("Mul", add("Tanh", a), b);
            case 3 -> add("Tanh", add("Sub", a, b));
            case 4, 5 -> add("MatMul", a, "w");
            case 6 -> add("Softmax", a);
            case 7 -> add("LayerNormalization", List.of(add("Add", a, b), "scale"), LARGE_EPSILON);
            case 8 -> normalized(a);
            case 9 -> add("Transpose", a);
            case 10 -> add("MatMul", List.of("wide", add("Concat", List.of(a, b), integer("axis", 0))));
            case 11 -> add("Add", add("Sin", add("Mul", a, "two")), add("Sigmoid", b));
            case 12 -> add("Cast", List.of(add("Cast", List.of(a), integer("to", DataType.FLOAT16_VALUE))),
                integer("to", DataType.FLOAT_VALUE));
            case 13 -> add("MatMul", a, add("Cast", List.of("stored"), integer("to", DataType.FLOAT_VALUE)));
            default -> add("Mul", add("Softmax", add("Mul", add("MatMul", a, "w"), "half")), b);
        };
    }

    private String normalized(String tensor) {
        AttributeProto rows = AttributeProto.newBuilder().setName("axes").setType(AttributeProto.AttributeType.INTS)
            .addInts(-1).build();
        String centred = add("Sub", tensor, add("ReduceMean", List.of(tensor), rows));
        String variance = add("ReduceMean", List.of(add("Pow", centred, "two")), rows);
        return add("Mul", add("Div", centred, add("Sqrt", add("Add", variance, "epsilon"))), "scale");
    }

    private String add(String operator, String... inputs) {
        return add(operator, List.of(inputs));
    }

    private String add(String operator, List<String> inputs, AttributeProto... attributes) {
        String out = module + "/" + operator + "_" + count++;
        sketch.node(operator, out, inputs, out + "_output_0", attributes);
        return out + "_output_0";
    }

    private String read() {
        int back = Math.min(random.nextInt(tensors.size()), random.nextInt(tensors.size()));
        return tensors.get(tensors.size() - 1 - back);
    }

    private TensorProto halves(String name) {
        TensorProto.Builder weight = TensorProto.newBuilder().setName(name).addDims(SIDE).addDims(SIDE)
            .setDataType(DataType.FLOAT16_VALUE);
        for (float value : values(SIDE * SIDE)) {
            weight.addInt32Data(Float.floatToFloat16(value) & 0xffff);
        }
        return weight.build();
    }

    private float[] values(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian() / 3;
        }
        return values;
    }
}
