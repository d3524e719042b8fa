package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FirstBlockTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    private static final long[] SHAPE = {1, 4, 8};

    private static Graph fixed(GraphSketch sketch) {
        return StaticShapes.fix(sketch.build(), Map.of("sample", TensorType.of(DataType.FLOAT32, SHAPE),
            "text", TensorType.of(DataType.FLOAT32, SHAPE)));
    }

    private static GraphSketch begin() {
        return new GraphSketch().input("sample", SHAPE).input("text", SHAPE)
            .node("Tanh", "/embed/Tanh", List.of("sample"), "h0");
    }

    private static Graph measured(Graph graph) {
        return FirstBlock.measured(graph, LAGGABLE, "added");
    }

    /** What is subtracted from what. */
    private static List<String> difference(Graph graph) {
        NodeProto node = graph.producer("added").orElseThrow();
        assertEquals("Sub", node.getOpType());
        return node.getInputList();
    }

    @Test
    void itIsWhatLeavesTheFirstNumberedModuleLessWhatEntersIt() {
        Graph graph = fixed(begin().node("Sin", "/blocks.0/Sin", List.of("h0"), "s")
            .node("Add", "/blocks.0/Add", List.of("s", "h0"), "h1")
            .node("Sin", "/blocks.1/Sin", List.of("h1"), "s1").node("Add", "/blocks.1/Add", List.of("h1", "s1"), "h2")
            .node("Cos", "/out/Cos", List.of("h2"), "eps").output("eps", SHAPE));
        Graph measured = measured(graph);
        assertEquals(List.of("h1", "h0"), difference(measured));
        assertEquals("blocks.0", ModulePath.of(measured.producer("added").orElseThrow()));
        assertEquals(TensorType.of(DataType.FLOAT32, SHAPE), ValueInfos.types(measured).get("added"));
        assertEquals(List.of("eps", "added"), measured.outputs().stream().map(it -> it.getName()).toList());
    }

    /** As in joint attention: the text has as many tokens as the picture, and changes with it inside the block. */
    @Test
    void ofSeveralStreamsItIsTheOneToWhichTheBlockAdds() {
        Graph graph = fixed(begin().node("Mul", "/blocks.0/Mul", List.of("h0", "text"), "m")
            .node("Add", "/blocks.0/Add", List.of("m", "text"), "c1")
            .node("Add", "/blocks.0/Add_1", List.of("m", "h0"), "a")
            .node("Sin", "/blocks.0/Sin", List.of("a"), "s").node("Add", "/blocks.0/Add_2", List.of("s", "a"), "h1")
            .node("Mul", "/blocks.1/Mul", List.of("h1", "c1"), "h2")
            .node("Cos", "/out/Cos", List.of("h2"), "eps").output("eps", SHAPE));
        assertEquals(List.of("h1", "h0"), difference(measured(graph)));
    }

    @Test
    void inAShellItIsMadeBeforeWhatIsInside() {
        Graph graph = measured(fixed(begin().node("Sin", "/blocks.0/Sin", List.of("h0"), "s")
            .node("Add", "/blocks.0/Add", List.of("s", "h0"), "h1")
            .node("Sin", "/blocks.1/Sin", List.of("h1"), "s1").node("Add", "/blocks.1/Add", List.of("h1", "s1"), "h2")
            .node("Cos", "/out/Cos", List.of("h2"), "eps").output("eps", SHAPE)));
        Partition partition = Splitter.splitCrossing(graph, List.of(BlockShell.of(graph, LAGGABLE, 1)), LAGGABLE);
        assertEquals(List.of(0, 1, 0), partition.segments().stream().map(Segment::component).toList());
        assertEquals(Set.of("h1", "added"), Set.copyOf(partition.segments().getFirst().outputs()));
    }

    @Test
    void ofAUNetItIsWhatTheFirstLayerOfTheWayDownAdds() {
        Graph sketch = UNetSketch.of(true, true, false);
        Map<String, TypeProto> types = new HashMap<>();
        sketch.nodes().forEach(node -> types.put(node.getOutput(0),
            ValueInfos.of(node.getOutput(0), TensorType.of(DataType.FLOAT32, SHAPE)).getType()));
        Graph measured = measured(sketch.withTypes(types));
        List<String> parts = difference(measured);
        assertTrue(parts.getFirst().startsWith("/down_blocks.0/attentions.0/"), parts::toString);
        assertTrue(parts.getLast().startsWith("/conv_in/"), parts::toString);
        Partition partition =
            Splitter.splitCrossing(measured, List.of(ShellCut.of(measured, 1)), LAGGABLE);
        assertTrue(partition.segments().getFirst().outputs().contains("added"), partition.segments()::toString);
    }

    /** What is compared is float32 whatever the denoiser computes in. */
    @Test
    void ofHalvesItIsMadeWide() {
        Graph graph = fixed(begin().node("Sin", "/blocks.0/Sin", List.of("h0"), "s")
            .node("Add", "/blocks.0/Add", List.of("s", "h0"), "h1")
            .node("Cos", "/out/Cos", List.of("h1"), "eps").output("eps", SHAPE));
        Map<String, TypeProto> types = new HashMap<>(graph.types());
        TypeProto half = ValueInfos.of("h", TensorType.of(DataType.FLOAT16, SHAPE)).getType();
        types.put("h0", half);
        types.put("h1", half);
        Graph measured = measured(graph.withTypes(types));
        NodeProto cast = measured.producer("added").orElseThrow();
        assertEquals("Cast", cast.getOpType());
        assertEquals(TensorProto.DataType.FLOAT_VALUE, cast.getAttribute(0).getI());
        assertEquals(List.of("h1", "h0"), measured.producer(cast.getInput(0)).orElseThrow().getInputList());
        assertEquals(TensorType.of(DataType.FLOAT16, SHAPE), ValueInfos.types(measured).get(cast.getInput(0)));
    }

    @Test
    void whereNothingPassesThroughItIsRefused() {
        Graph graph = fixed(begin().node("Cos", "/out/Cos", List.of("h0"), "eps").output("eps", SHAPE));
        String message = assertThrows(GraphException.class, () -> measured(graph)).getMessage();
        assertEquals("nothing can be decided by the first block of this denoiser, as it has no numbered blocks; take a "
            + "cache that runs every so many steps", message);
    }
}
