package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoopAdapterTest {
    private static final int CHANNELS = 3;

    private final OnnxRunner runner = new OnnxRunner();

    /** Adds the timestep and the positions to every token, and each token's number of the channel to its channels. */
    private static DenoiserGraph tokens() {
        float[] channels = new float[CHANNELS * 4];
        for (int i = 0; i < channels.length; i++) {
            channels[i] = 1000 * i;
        }
        return new DenoiserGraph("tokens", new GraphSketch().input("hidden_states", -1, 6, CHANNELS * 4)
            .input("timestep", -1).input("ids", 6, 1).weight("channels", channels, channels.length)
            .output("y", -1, 6, CHANNELS * 4)
            .node("Add", "/embed/Add", List.of("hidden_states", "channels"), "a")
            .node("Add", "/out/Add", List.of("a", "timestep"), "b")
            .node("Add", "/out/Add_1", List.of("b", "ids"), "y").build(), new JsonObject(), List.of());
    }

    private float[] run(DenoiserGraph denoiser, Map<String, float[]> values, Map<String, long[]> shapes)
        throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, TensorType> types = new HashMap<>();
        for (String name : values.keySet()) {
            inputs.put(name, runner.tensor(values.get(name), shapes.get(name)));
            types.put(name, TensorType.of(DataType.FLOAT32, shapes.get(name)));
        }
        Graph fixed = StaticShapes.fix(denoiser.graph(), types);
        return OnnxRunner.floats(runner.run(fixed, inputs).get(denoiser.ports().prediction()));
    }

    @Test
    void tokensAreTheChannelsOfPatchesRowByRow() throws OrtException {
        DenoiserGraph denoiser = LoopAdapter.rowed(LoopAdapter.divided(LoopAdapter.packed(tokens(), 2), 4), "ids");
        float[] latents = new float[CHANNELS * 4 * 6];
        float[] ids = {0, 1, 2, 3, 4, 5};

        float[] predicted = run(denoiser, Map.of("hidden_states", latents, "timestep", new float[] {2},
            "ids", ids), Map.of("hidden_states", new long[] {1, CHANNELS, 4, 6}, "timestep", new long[] {1},
                "ids", new long[] {1, 6, 1}));

        float[] expected = new float[latents.length];
        for (int channel = 0; channel < CHANNELS; channel++) {
            for (int y = 0; y < 4; y++) {
                for (int x = 0; x < 6; x++) {
                    int token = y / 2 * 3 + x / 2;
                    expected[(channel * 4 + y) * 6 + x] = 1000 * (channel * 4 + y % 2 * 2 + x % 2) + token + 0.5f;
                }
            }
        }
        assertArrayEquals(expected, predicted);
        assertEquals(2, denoiser.sideMultiple());
    }

    @Test
    void packingAndUnpackingAreInverse() throws OrtException {
        DenoiserGraph same = LoopAdapter.packed(new DenoiserGraph("same", new GraphSketch()
            .input("hidden_states", -1, 6, 12)
            .input("timestep", -1).output("y", -1, 6, 12).node("Abs", "/m/Abs", List.of("hidden_states"), "y").build(),
            new JsonObject(), List.of()), 2);
        float[] latents = new float[2 * CHANNELS * 24];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = i;
        }

        assertArrayEquals(latents, run(same, Map.of("hidden_states", latents, "timestep", new float[2]),
            Map.of("hidden_states", new long[] {2, CHANNELS, 4, 6}, "timestep", new long[] {2})));
    }

    @Test
    void onlyTheFirstChannelsOfAPredictionAreRead() throws OrtException {
        DenoiserGraph twice = LoopAdapter.first(new DenoiserGraph("twice", new GraphSketch()
            .input("sample", -1, 2, 1, 3)
            .input("timestep", -1).output("y", -1, 4, 1, 3)
            .node("Concat", "/m/Concat", List.of("sample", "sample"), "y", GraphSketch.integer("axis", 1)).build(),
            new JsonObject(), List.of()), 1);

        assertArrayEquals(new float[] {1, 2, 3}, run(twice, Map.of("sample", new float[] {1, 2, 3, 4, 5, 6},
            "timestep", new float[1]), Map.of("sample", new long[] {1, 2, 1, 3}, "timestep", new long[] {1})));
    }

    @Test
    void whatTakesNoTokensCannotBePacked() {
        DenoiserGraph pixels = new DenoiserGraph("pixels", new GraphSketch().input("sample", -1, 2, 4, 4)
            .input("timestep", -1).output("y", -1, 2, 4, 4).node("Abs", "/m/Abs", List.of("sample"), "y").build(),
            new JsonObject(), List.of());

        assertTrue(assertThrows(GraphException.class, () -> LoopAdapter.packed(pixels, 2)).getMessage()
            .contains("'sample'"));
    }
}
