package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CostsTest {
    private static Graph graph(OperatorCase operator) {
        Graph graph = GraphProtos.read(operator.model(), Optional.empty());
        Map<String, TensorType> types = new LinkedHashMap<>(InputTypes.of(graph, Map.of()));
        return StaticShapes.fix(graph, types);
    }

    static Stream<Arguments> products() {
        return Stream.of(
            Arguments.of(OperatorCase.of("Conv").floats(2, 4, 9, 7).floats(6, 4, 3, 3), 2 * 6 * 7 * 5 * 4 * 9),
            Arguments.of(OperatorCase.of("Conv").attribute("group", 2).floats(2, 4, 9, 7).floats(6, 2, 3, 3),
                2 * 6 * 7 * 5 * 2 * 9),
            Arguments.of(OperatorCase.of("ConvTranspose").floats(2, 4, 5, 7).floats(4, 3, 3, 3),
                2 * 4 * 5 * 7 * 3 * 9),
            Arguments.of(OperatorCase.of("MatMul").floats(2, 8, 16, 5).floats(2, 8, 5, 10), 2 * 8 * 16 * 5 * 10),
            Arguments.of(OperatorCase.of("Gemm").attribute("transA", 1).floats(4, 2).floats(4, 3), 2 * 4 * 3),
            Arguments.of(OperatorCase.of("Einsum").string("equation", "bid,bjd->bij").floats(2, 3, 5).floats(2, 7, 5),
                2 * 3 * 5 * 7),
            Arguments.of(OperatorCase.of("Einsum").string("equation", "...id,...jd->...ij").floats(2, 9, 3, 5)
                .floats(9, 7, 5), 2 * 9 * 3 * 5 * 7),
            Arguments.of(OperatorCase.of("Einsum").string("equation", "ij->i").floats(4, 6), 4 * 6),
            Arguments.of(OperatorCase.of("Add").floats(2, 3).floats(2, 3), 0));
    }

    @ParameterizedTest
    @MethodSource("products")
    void productsCountTheirMultiplications(OperatorCase operator, int expected) {
        Graph graph = graph(operator);
        assertEquals(expected, Costs.of(graph).multiplyAccumulates(graph.nodes().getFirst()));
        assertEquals(expected, Costs.multiplyAccumulates(graph));
    }

    static Stream<Arguments> traffic() {
        Value table = Value.random(ValueType.of(FLOAT32, 1000, 10), 1);
        return Stream.of(Arguments.of(OperatorCase.of("Add").floats(2, 3).floats(3), 4 * (6 + 3 + 6)),
            Arguments.of(OperatorCase.of("Softmax").floats(5, 7), 4 * 35 * 2),
            Arguments.of(OperatorCase.of("Reshape").floats(5, 7).weight(35), 0),
            Arguments.of(OperatorCase.of("Gather").weight(table).input(ElementType.INT64, 7), 2 * 4 * 70),
            Arguments.of(OperatorCase.of("Slice").floats(100).weight(0).weight(10), 2 * 4 * 10));
    }

    @ParameterizedTest
    @MethodSource("traffic")
    void otherOperatorsCountTheBytesThatTheyMove(OperatorCase operator, int expected) {
        Graph graph = graph(operator);
        NodeProto node = graph.nodes().getFirst();
        assertEquals(expected, Costs.of(graph).bytesMoved(node));
        assertEquals(3.0 * expected, Costs.of(graph, 3).applyAsDouble(node));
    }

    @Test
    void aLargeProductIsBoundByArithmeticAndAThinOneByMemory() {
        Graph square = graph(OperatorCase.of("MatMul").floats(512, 512).floats(512, 512));
        Graph thin = graph(OperatorCase.of("MatMul").floats(1, 512).floats(512, 512));
        Costs costs = Costs.of(square, 10);
        assertEquals(512.0 * 512 * 512, costs.applyAsDouble(square.nodes().getFirst()));
        assertTrue(Costs.of(thin, 10).applyAsDouble(thin.nodes().getFirst()) > 512 * 512);
    }

    /** x = q · k, scaled; softmax(x) · v; then a sum with v. */
    @Test
    void whatEnginesFuseMovesNothing() {
        Graph graph = new GraphSketch().input("q", 1, 64, 8).input("k", 1, 8, 64).input("v", 1, 64, 8)
            .output("out", 1, 64, 64)
            .node("MatMul", "/qk", List.of("q", "k"), "scores").node("Mul", "/scale", List.of("scores", "scores"), "x")
            .node("Softmax", "/softmax", List.of("x"), "weights")
            .node("MatMul", "/av", List.of("weights", "v"), "mixed")
            .node("Add", "/sum", List.of("mixed", "v"), "sum")
            .node("MatMul", "/out", List.of("sum", "k"), "out").build();
        Graph fixed = StaticShapes.fix(graph, InputTypes.of(graph, Map.of()));
        Costs costs = Costs.of(fixed, 1000);

        assertEquals(64 * 64 * 8, costs.applyAsDouble(fixed.nodes().getFirst()), "scores stay on the chip");
        assertEquals(0, fixed.nodes().stream().filter(node -> List.of("Mul", "Softmax", "Add")
            .contains(node.getOpType())).mapToDouble(costs).sum());
        NodeProto last = fixed.nodes().getLast();
        assertEquals(1000 * costs.bytesMoved(last), costs.applyAsDouble(last), "no attention");
    }

    @Test
    void anItemOfABatchCostsWhatItDoesAloneThoughWeightsAreReadOnceForAll() {
        Value weight = Value.random(ValueType.of(FLOAT32, 512, 512), 1);
        Graph alone = graph(OperatorCase.of("MatMul").floats(1, 512).weight(weight));
        Graph three = graph(OperatorCase.of("MatMul").floats(3, 512).weight(weight));
        Costs costs = Costs.ofItem(three, 3);
        assertEquals(Costs.of(alone).applyAsDouble(alone.nodes().getFirst()),
            costs.applyAsDouble(three.nodes().getFirst()));
        assertEquals(512 * 512, costs.multiplyAccumulates(three.nodes().getFirst()));
    }

    @Test
    void aGraphWithoutTypesIsRefused() {
        Graph graph = GraphProtos.read(OperatorCase.of("Neg").floats(2).model(), Optional.empty());
        GraphException error = assertThrows(GraphException.class,
            () -> Costs.of(graph).applyAsDouble(graph.nodes().getFirst()));
        assertTrue(error.getMessage().contains("'out0'"), error.getMessage());
    }
}
