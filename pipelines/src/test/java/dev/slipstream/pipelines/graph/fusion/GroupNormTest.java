package dev.slipstream.pipelines.graph.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Norms of groups as exporters write them. */
class GroupNormTest {
    private static GraphSketch sketch(float scale) {
        return new GraphSketch().input("x", -1, 4, 2, 2).output("y", -1, 4, 2, 2)
            .weight(shape("to groups", 0, 2, -1)).weight(shape("back", -1, 4, 2, 2))
            .weight("scale", new float[] {scale, scale}, 2).weight("shift", new float[] {0, 0}, 2)
            .weight("weight", new float[] {1, 2, 3, 4}, 4, 1, 1).weight("bias", new float[] {5, 6, 7, 8}, 4, 1, 1)
            .node("Reshape", "/norm/Reshape", List.of("x", "to groups"), "grouped")
            .node("InstanceNormalization", "/norm/Norm", List.of("grouped", "scale", "shift"), "normal")
            .node("Reshape", "/norm/Back", List.of("normal", "back"), "formed")
            .node("Mul", "/norm/Mul", List.of("formed", "weight"), "weighted")
            .node("Add", "/norm/Add", List.of("bias", "weighted"), "biased");
    }

    private static TensorProto shape(String name, long... dims) {
        return ConstantProtos.write(name, Constant.of(ValueType.of(ElementType.INT64, dims.length), dims));
    }

    private static GroupNorm found(GraphSketch sketch) {
        Graph graph = sketch.build();
        List<GroupNorm> norms = GroupNorm.in(StaticShapes.fix(graph, InputTypes.of(graph, Map.of("batch", 3L))));
        assertEquals(1, norms.size());
        return norms.getFirst();
    }

    @Test
    void itHasTheReshapesAndTheWeightsOfChannelsAroundIt() {
        GroupNorm norm = found(sketch(1).node("Neg", "/neg", List.of("biased"), "y"));
        assertEquals(List.of("x", "biased"), List.of(norm.input(), norm.output()));
        assertEquals(List.of(Optional.of("weight"), Optional.of("bias")), List.of(norm.weight(), norm.bias()));
        assertEquals(5, norm.nodes().size());
        assertEquals(2, norm.groups());
    }

    @Test
    void whatOthersReadAsWellIsItsResult() {
        GroupNorm norm = found(sketch(1).node("Mul", "/mul", List.of("biased", "weighted"), "y"));
        assertEquals("weighted", norm.output());
        assertEquals(List.of(Optional.of("weight"), Optional.empty()), List.of(norm.weight(), norm.bias()));
    }

    @Test
    void withWeightsOfGroupsItIsTheNodeAlone() {
        GroupNorm norm = found(sketch(2).node("Neg", "/neg", List.of("biased"), "y"));
        assertEquals(List.of("grouped", "normal"), List.of(norm.input(), norm.output()));
        assertEquals(Optional.of("scale"), norm.weight());
        assertEquals(List.of(norm.norm()), norm.nodes());
    }
}
