package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FrameAdapterTest {
    private final OnnxRunner runner = new OnnxRunner();

    private float[] run(DenoiserGraph denoiser, Map<String, long[]> shapes) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, TensorType> types = new HashMap<>();
        for (String name : shapes.keySet()) {
            int count = (int) Arrays.stream(shapes.get(name)).reduce(1, (a, b) -> a * b);
            float[] values = new float[count];
            IntStream.range(0, count).forEach(i -> values[i] = (name.equals("sample") ? 1 : 1000) * i);
            inputs.put(name, runner.tensor(values, shapes.get(name)));
            types.put(name, TensorType.of(DataType.FLOAT32, shapes.get(name)));
        }
        Graph fixed = StaticShapes.fix(denoiser.graph(), types);
        return OnnxRunner.floats(runner.run(fixed, inputs).get(denoiser.ports().prediction()));
    }

    /** Frames behind channels: each frame gets what its text says, which the loop gives once for all frames. */
    @Test
    void conditionsOfFramesAreGivenOnceForAll() throws OrtException {
        GraphSketch motion = new GraphSketch().input("sample", -1, 2, 3, 1, 1).input("timestep", -1)
            .input("text", -1, 1, 1).node("Reshape", "/r/Reshape", List.of("text", "shape"), "t")
            .weight(ConstantProtos.integers("shape", List.of(-1L, 1L, 3L, 1L, 1L)))
            .node("Add", "/a/Add", List.of("sample", "t"), "u").node("Add", "/b/Add", List.of("u", "timestep"), "y")
            .output("y", -1, 2, 3, 1, 1);
        DenoiserGraph adapted = FrameAdapter.adapt(new DenoiserGraph("motion", motion.build(), new JsonObject(),
            List.of()), 2, "", List.of("text"));

        float[] predicted = run(adapted, Map.of("sample", new long[] {2, 6, 1, 1}, "timestep", new long[] {1}, "text",
            new long[] {2, 1, 1}));

        assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5, 1006, 1007, 1008, 1009, 1010, 1011}, predicted);
        assertEquals(List.of("sample", "timestep", "text"),
            adapted.graph().inputs().stream().map(ValueInfoProto::getName).toList());
    }

    /** Frames before channels: the channels of one picture lie behind those of every frame. */
    @Test
    void aPictureIsSeenBesideEveryFrame() throws OrtException {
        GraphSketch video = new GraphSketch().input("sample", -1, 3, 4, 1, 1).input("timestep", -1)
            .weight(ConstantProtos.integers("sizes", List.of(2L, 2L)))
            .node(NodeProto.newBuilder().setOpType("Split").setName("/s/Split").addInput("sample")
                .addInput("sizes").addOutput("own").addOutput("seen").addAttribute(GraphSketch.integer("axis", 2))
                .build())
            .node("Add", "/a/Add", List.of("own", "seen"), "u").node("Add", "/b/Add", List.of("u", "timestep"), "y")
            .output("y", -1, 3, 2, 1, 1);
        DenoiserGraph adapted = FrameAdapter.adapt(new DenoiserGraph("video", video.build(), new JsonObject(),
            List.of()), 1, "picture", List.of());

        float[] predicted = run(adapted, Map.of("sample", new long[] {1, 6, 1, 1}, "timestep", new long[] {1},
            "picture", new long[] {1, 1, 2, 1, 1}));

        assertArrayEquals(new float[] {0, 1001, 2, 1003, 4, 1005}, predicted);
    }

    @Test
    void graphsForPicturesAreRefused() {
        DenoiserGraph picture = new DenoiserGraph("picture", new GraphSketch().input("sample", -1, 2, 1, 1)
            .input("timestep", -1).node("Add", "/a/Add", List.of("sample", "timestep"), "y")
            .output("y", -1, 2, 1, 1).build(), new JsonObject(), List.of());

        assertEquals("output 'y' of the denoiser has 4 dimensions, but those of videos are 5, and their channels are "
            + "known", assertThrows(GraphException.class, () -> FrameAdapter.adapt(picture, 1, "", List.of()))
                .getMessage());
    }
}
