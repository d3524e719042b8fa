package dev.slipstream.pipelines.graph.shape;

import static dev.slipstream.pipelines.graph.shape.GraphBuilder.attribute;
import static dev.slipstream.pipelines.graph.shape.GraphBuilder.branch;
import static dev.slipstream.pipelines.graph.tensor.ElementType.BOOL;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT16;
import static dev.slipstream.pipelines.graph.tensor.ElementType.FLOAT32;
import static dev.slipstream.pipelines.graph.tensor.ElementType.INT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StaticShapesTest {
    private static final Map<String, Long> SIZE = Map.of("n", 3L);

    private static GraphBuilder vector() {
        return new GraphBuilder().input("x", FLOAT32, "n", 4).weight("one", Value.scalar(1))
            .weight("axis", Value.list(0));
    }

    private static List<String> operators(Graph graph) {
        return graph.nodes().stream().map(NodeProto::getOpType).toList();
    }

    /** The fixed graph, which computes the same. */
    private static Graph fixed(GraphBuilder builder) throws OrtException {
        Graph graph = builder.graph();
        Map<String, TensorType> types = InputTypes.of(graph, SIZE);
        Graph fixed = StaticShapes.fix(graph, types);
        Map<String, Value> inputs = new LinkedHashMap<>();
        types.forEach((name, type) -> inputs.put(name, Value.random(ValueType.of(type), 1)));
        assertEquals(Oracle.run(GraphProtos.write(graph), inputs), Oracle.run(GraphProtos.write(fixed), inputs));
        return fixed;
    }

    @Test
    void attentionToOneKeyIsItsValueForEveryQuery() throws OrtException {
        Graph fixed = fixed(new GraphBuilder().input("q", FLOAT32, "n", 4).input("v", FLOAT32, 1, 5)
            .weight("k", Value.reals(FLOAT32, new long[] {4, 1}, 1, 2, 3, 4)).node("products = MatMul(q, k)")
            .node("shares = Softmax(products)", attribute("axis", -1)).node("mixed = MatMul(shares, v)")
            .node("y = Neg(mixed)").output("y"));

        assertEquals(List.of("Expand", "Neg"), operators(fixed));
    }

    @Test
    void aBranchThatIsAlwaysTakenTakesThePlaceOfItsIf() throws OrtException {
        GraphBuilder inner = new GraphBuilder().weight("w", Value.reals(FLOAT32, new long[] {1}, 2))
            .node("doubled = Mul(x, w)").node("r = Neg(doubled)").node("same = Identity(x)").output("r", "same");
        GraphBuilder other = new GraphBuilder().node("r = Neg(x)").node("s = Abs(x)").output("r", "s");
        Graph fixed = fixed(vector().weight("w", Value.reals(FLOAT32, new long[] {1}, 5))
            .node("shape = Shape(x)").node("rank = Size(shape)").node("flat = Greater(rank, one)")
            .node("a, b = If(flat)", branch("then_branch", inner), branch("else_branch", other))
            .node("y = Add(a, b)").node("z = Mul(y, w)").output("z"));
        assertEquals(List.of("Mul", "Neg", "Add", "Mul"), operators(fixed));
    }

    @Test
    void branchesInsideBranchesAreResolvedToo() throws OrtException {
        GraphBuilder deepest = new GraphBuilder().node("r = Neg(x)").output("r");
        GraphBuilder unused = new GraphBuilder().node("r = Abs(x)").output("r");
        GraphBuilder inner = new GraphBuilder().node("no = Not(yes)")
            .node("r = If(no)", branch("then_branch", unused), branch("else_branch", deepest)).output("r");
        Graph fixed = fixed(vector().weight("yes", Value.integers(BOOL, new long[0], 1))
            .node("y = If(yes)", branch("then_branch", inner), branch("else_branch", unused)).output("y"));
        assertEquals(List.of("Neg"), operators(fixed));
        assertEquals("y", fixed.nodes().getFirst().getOutput(0));
    }

    @Test
    void aConditionThatIsNotKnownNamesItsIf() {
        GraphBuilder same = new GraphBuilder().node("r = Neg(x)").output("r");
        Graph graph = vector().input("flag", BOOL)
            .node("y = If(flag)", branch("then_branch", same), branch("else_branch", same)).output("y").graph();
        GraphException error = assertThrows(GraphException.class,
            () -> StaticShapes.fix(graph, InputTypes.of(graph, SIZE)));
        assertTrue(error.getMessage().contains("node y (If)"), error.getMessage());
    }

    @Test
    void damagedBranchesAreRefusedNamingTheirIf() {
        GraphBuilder good = new GraphBuilder().node("r = Neg(x)").output("r");
        for (GraphBuilder bad : List.of(new GraphBuilder().node("r = Identity(r)").output("r"),
            new GraphBuilder().node("r = Neg(x)").node("r = Abs(x)").output("r"),
            new GraphBuilder().node("r = Neg(later)").node("later = Abs(x)").output("r"),
            new GraphBuilder().node("r = Neg(x)"))) {
            Graph graph = vector().weight("yes", Value.integers(BOOL, new long[0], 1))
                .node("y = If(yes)", branch("then_branch", bad), branch("else_branch", good)).output("y").graph();
            GraphException error = assertThrows(GraphException.class,
                () -> StaticShapes.fix(graph, InputTypes.of(graph, SIZE)));
            assertTrue(error.getMessage().contains("node y (If)"), error.getMessage());
        }
    }

    @Test
    void copiesGoAndOutputsKeepTheirNames() throws OrtException {
        Graph fixed = fixed(vector().node("a = Identity(x)").node("b = Neg(a)").node("c = Dropout(b)")
            .node("d = Cast(c)", attribute("to", FLOAT32.code())).node("y = Identity(d)").node("z = Abs(c)")
            .output("y", "z"));
        assertEquals(List.of("Neg", "Abs"), operators(fixed));
        assertEquals(List.of("y"), fixed.nodes().getLast().getInputList());
    }

    @Test
    void copiesStayWhereAnOutputWouldLoseItsNode() throws OrtException {
        Graph fixed = fixed(vector().node("y = Identity(x)").node("b = Neg(x)").node("z = Identity(b)")
            .node("v = Identity(b)").output("y", "z", "v"));
        assertEquals(List.of("Identity", "Neg", "Identity"), operators(fixed));
    }

    @Test
    void aDropoutWhoseMaskIsReadStays() throws OrtException {
        Graph fixed = fixed(vector().node("a, mask = Dropout(x)").node("y = Where(mask, a, x)").output("y"));
        assertEquals(List.of("Dropout", "Where"), operators(fixed));
    }

    @Test
    void theZeroAddedToAttentionScoresGoesButNoOther() throws OrtException {
        GraphBuilder builder = vector().node("shape = Shape(x)").node("zero = ConstantOfShape(shape)")
            .node("scores = Add(zero, x)").node("y = Softmax(scores)").node("sum = Add(x, zero)").node("z = Neg(sum)");
        assertEquals(List.of("Softmax", "Add", "Neg"), operators(fixed(builder.output("y", "z"))));
    }

    @Test
    void largeOperandsOfOneValueShrinkToOneElement() throws OrtException {
        Graph fixed = fixed(new GraphBuilder().input("x", FLOAT32, "n", 100, 100).node("shape = Shape(x)")
            .node("ones = ConstantOfShape(shape)").node("moved = Sub(x, ones)").node("y = Neg(moved)").output("y"));
        assertEquals(List.of("Sub", "Neg"), operators(fixed));
        assertEquals(List.of(1L), fixed.weights().values().iterator().next().getDimsList());
    }

    @Test
    void largeOperandsThatGiveTheResultItsShapeStay() throws OrtException {
        Graph fixed = fixed(vector().weight("wide", Value.list(3000, 3, 4)).node("zeros = ConstantOfShape(wide)")
            .node("y = Add(x, zeros)").output("y"));
        assertEquals(List.of("ConstantOfShape", "Add"), operators(fixed));
        assertTrue(fixed.weights().containsKey("wide"));
    }

    @Test
    void constantOutputsKeepTheirNodes() throws OrtException {
        Graph fixed = fixed(vector().node("y = Shape(x)").node("part = Gather(y, one)").node("z = Add(part, one)")
            .output("y", "z"));
        assertEquals(List.of("Shape", "Add"), operators(fixed));
        assertEquals("y", fixed.outputs().getFirst().getName());
    }

    @Test
    void weightsAreLeftAloneAndUnusedOnesGo() throws OrtException {
        Value halves = Value.random(ValueType.of(FLOAT16, 4, 4000), 3);
        Graph fixed = fixed(vector().weight("halves", halves).weight("unused", halves)
            .node("w = Cast(halves)", attribute("to", FLOAT32.code())).node("y = MatMul(x, w)").output("y"));
        assertEquals(List.of("Cast", "MatMul"), operators(fixed));
        assertEquals(List.of("halves"), List.copyOf(fixed.weights().keySet()));
    }

    @Test
    void inputsAndOutputsAreDeclaredWithTheirSizes() {
        Graph graph = vector().input("unused", INT64, "n").node("y = Transpose(x)").output("y").graph();
        Graph fixed = StaticShapes.fix(graph, InputTypes.of(graph, SIZE));
        assertEquals(Map.of("x", TensorType.of(DataType.FLOAT32, 3, 4), "unused", TensorType.of(DataType.INT64, 3)),
            InputTypes.of(fixed, Map.of()));
        assertEquals(ValueInfos.of("y", TensorType.of(DataType.FLOAT32, 4, 3)), fixed.outputs().getFirst());
        assertEquals(TensorType.of(DataType.FLOAT32, 4, 3), ValueInfos.types(fixed).get("y"));
    }
}
