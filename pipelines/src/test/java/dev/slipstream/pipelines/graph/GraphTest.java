package dev.slipstream.pipelines.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GraphTest {
    private static AttributeProto constant(String name, AttributeType type, float... values) {
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name).setType(type);
        for (float value : values) {
            attribute.addFloats(value).addInts((long) value);
        }
        return attribute.setF(values[0]).setI((long) values[0]).build();
    }

    @Test
    void constantsBecomeWeights() {
        Graph graph = new GraphSketch().input("x", 2).output("y", 2)
            .node("Constant", "/Constant", List.of(), "a", constant("value_floats", AttributeType.FLOATS, 1, 2))
            .node("Constant", "/Constant_1", List.of(), "axes", constant("value_ints", AttributeType.INTS, 0))
            .node("Constant", "/Constant_2", List.of(), "b", constant("value_float", AttributeType.FLOAT, 3))
            .node("Constant", "/Constant_3", List.of(), "c", constant("value_int", AttributeType.INT, 4))
            .node("Sum", "/Sum", List.of("x", "a", "b", "c"), "sum")
            .node("Unsqueeze", "/Unsqueeze", List.of("sum", "axes"), "y").build();

        assertEquals(List.of("Sum", "Unsqueeze"), graph.nodes().stream().map(NodeProto::getOpType).toList());
        assertEquals(List.of(1f, 2f), graph.weights().get("a").getFloatDataList());
        assertEquals(List.of(0L), graph.weights().get("axes").getInt64DataList());
        assertEquals(List.of(1L), graph.weights().get("axes").getDimsList());
        assertEquals(List.of(), graph.weights().get("b").getDimsList());
        assertEquals(DataType.INT64_VALUE, graph.weights().get("c").getDataType());
    }

    @Test
    void constantThatIsAnOutputStaysANode() {
        Graph graph = new GraphSketch().output("y", 2)
            .node("Constant", "/Constant", List.of(), "y", constant("value_floats", AttributeType.FLOATS, 1, 2))
            .build();

        assertEquals(1, graph.nodes().size());
        assertTrue(graph.weights().isEmpty());
    }

    @Test
    void weightsListedAsInputsAreNoInputs() {
        Graph graph = new GraphSketch().input("x", 1).input("w", 1).weight("w", new float[] {1}, 1).output("y", 1)
            .node("Add", "/Add", List.of("x", "w"), "y").build();

        assertEquals(List.of("x"), graph.inputs().stream().map(ValueInfoProto::getName).toList());
        assertFalse(graph.isInput("w"));
    }

    @Test
    void nodesAreSortedAndKnowTheirNeighbours() {
        Graph graph = new GraphSketch().input("x", 1).output("y", 1)
            .node("Tanh", "/Last", List.of("a"), "y").node("Mul", "/First", List.of("x", "x"), "a").build();

        assertEquals(List.of("/First", "/Last"), graph.nodes().stream().map(NodeProto::getName).toList());
        assertEquals(Optional.of("/First"), graph.producer("a").map(NodeProto::getName));
        assertEquals(1, graph.consumers("x").size());
        assertEquals(17, graph.opset());
    }

    @Test
    void tensorsThatAreMadeTwiceNameTheirMakers() {
        GraphSketch twoNodes = new GraphSketch().input("x", 1).output("y", 1)
            .node("Tanh", "/A", List.of("x"), "y").node("Tanh", "/B", List.of("x"), "y");
        GraphSketch nodeAndWeight = new GraphSketch().input("x", 1).output("y", 1)
            .weight("y", new float[] {1}, 1).node("Tanh", "/A", List.of("x"), "y");

        assertEquals("tensor 'y' is made twice: by node /B and by node /A",
            assertThrows(GraphException.class, twoNodes::build).getMessage());
        assertEquals("tensor 'y' is made twice: by node /A and by a weight",
            assertThrows(GraphException.class, nodeAndWeight::build).getMessage());
    }

    @Test
    void nodesInACircleAreAnError() {
        GraphSketch sketch = new GraphSketch().input("x", 1).output("y", 1).node("Tanh", "/Before", List.of("x"), "a")
            .node("Add", "/Circle", List.of("a", "c"), "b").node("Tanh", "/Back", List.of("b"), "c")
            .node("Tanh", "/After", List.of("c"), "y");

        assertEquals("nodes form a circle, /Circle is on it or after it",
            assertThrows(GraphException.class, sketch::build).getMessage());
    }

    @Test
    void knownTypesSurviveReadingAndWriting() {
        GraphSketch sketch = new GraphSketch().input("x", 1).output("y", 1)
            .node("Tanh", "/A", List.of("x"), "a").node("Tanh", "/B", List.of("a"), "y");
        sketch.graph.addValueInfo(GraphSketch.info("a", DataType.FLOAT_VALUE, 1));

        Graph graph = sketch.build();

        assertEquals(Set.of("a"), graph.types().keySet());
        assertEquals(sketch.model(), GraphProtos.write(graph));
    }

    @Test
    void sparseWeightsAreAnError() {
        GraphSketch sketch = new GraphSketch().input("x", 1).output("y", 1).node("Tanh", "/A", List.of("x"), "y");
        sketch.graph.addSparseInitializer(SparseTensorProto.getDefaultInstance());

        assertThrows(GraphException.class, sketch::build);
    }

    @Test
    void pruningKeepsWhatOutputsNeedAndAllInputs() {
        Graph graph = new GraphSketch().input("x", 1).input("unused", 1).output("y", 1)
            .weight("w", new float[] {1}, 1).weight("dead", new float[] {1}, 1)
            .node("Add", "/A", List.of("x", "w"), "y").node("Add", "/Dead", List.of("y", "dead"), "z").build();

        Graph pruned = GraphPruner.prune(graph);

        assertEquals(List.of("/A"), pruned.nodes().stream().map(NodeProto::getName).toList());
        assertEquals(Set.of("w"), pruned.weights().keySet());
        assertEquals(2, pruned.inputs().size());
    }
}
