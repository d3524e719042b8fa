package dev.slipstream.pipelines.graph.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole models: types, and what is left after their shapes are fixed. */
@Tag("slow")
class WholeModelsTest {
    private static final String CASES = "dev.slipstream.pipelines.graph.shape.ModelCase#all";
    private static final Set<String> SHAPE_ARITHMETIC = Set.of("Shape", "Size", "ConstantOfShape", "Range", "If",
        "Identity", "Constant", "Floor", "Equal");

    private static void assertSameTypes(Map<String, Value> expected, Map<String, TensorType> types) {
        Map<String, String> wrong = new HashMap<>();
        expected.forEach((tensor, value) -> {
            TensorType type = types.get(tensor);
            if (type == null || !ValueType.of(type).equals(value.type())) {
                wrong.put(tensor, type + " instead of " + value.type());
            }
        });
        assertEquals(Map.of(), wrong);
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void everyTensorHasTheTypeThatItHasWhenTheModelRuns(ModelCase model) throws OrtException {
        Graph graph = model.graph();
        TensorTypes types = TensorTypes.infer(graph, model.inputTypes(graph));
        assertSameTypes(model.allTensors(graph), types.known());
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void theFixedModelKnowsTheTypeOfEveryTensor(ModelCase model) throws OrtException {
        Graph graph = model.graph();
        Graph fixed = StaticShapes.fix(graph, model.inputTypes(graph));
        assertSameTypes(model.allTensors(fixed), ValueInfos.types(fixed));
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void noShapeArithmeticIsLeft(ModelCase model) {
        Graph graph = model.graph();
        Graph fixed = StaticShapes.fix(graph, model.inputTypes(graph));
        List<String> left = fixed.nodes().stream().filter(node -> SHAPE_ARITHMETIC.contains(node.getOpType())
            || node.getOpType().equals("Gather") && integers(fixed, node)).map(Nodes::label).toList();
        assertEquals(List.of(), left);
        for (NodeProto node : fixed.nodes()) {
            if (Set.of("Reshape", "Expand", "Resize", "Slice", "Unsqueeze").contains(node.getOpType())) {
                List<String> operands = node.getInputList().subList(1, node.getInputCount());
                assertTrue(operands.stream().allMatch(operand -> operand.isEmpty()
                    || fixed.weights().containsKey(operand)), () -> "operands of " + Nodes.label(node));
            }
        }
        assertTrue(fixed.nodes().size() < 0.75 * graph.nodes().size(), () -> "nodes left: " + fixed.nodes().size());
    }

    private static boolean integers(Graph graph, NodeProto node) {
        TensorType type = ValueInfos.types(graph).get(node.getOutput(0));
        return type.type() == DataType.INT64;
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void theFixedModelComputesTheSameBits(ModelCase model) throws OrtException {
        Graph graph = model.graph();
        Graph fixed = StaticShapes.fix(graph, model.inputTypes(graph));
        Map<String, Value> inputs = model.inputs(graph);
        assertEquals(Oracle.run(GraphProtos.write(graph), inputs), Oracle.run(GraphProtos.write(fixed), inputs));
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void fixingAFixedModelChangesNothing(ModelCase model) {
        Graph graph = model.graph();
        Graph once = StaticShapes.fix(graph, model.inputTypes(graph));
        Graph twice = StaticShapes.fix(once, InputTypes.of(once, Map.of()));
        assertEquals(GraphProtos.write(once), GraphProtos.write(twice));
    }
}
