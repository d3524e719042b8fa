package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Graphs that torch.onnx traced with a whole timestep, at timesteps of Euler with Karras sigmas. */
@Tag("slow")
class ReferenceTimestepTest {
    private final OnnxRunner runner = new OnnxRunner();

    @ParameterizedTest
    @CsvSource({"sd21, 868.41565", "sd21, 427.48978", "sd21, 17.8585", "sdxl, 687.15326", "sdxl, 145.93904"})
    void aTracedGraphPredictsWhatItsCheckpointPredicts(String model, float timestep) throws OrtException {
        ModelFolder folder = ModelFolder.open(ReferenceModels.folder(model).getParent());
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);
        inputs.put("timestep", runner.tensor(new float[] {timestep}));
        float[] expected = predict(DenoiserGraph.read(folder, ComponentFormat.CHECKPOINT), inputs);
        float[] actual = predict(DenoiserGraph.read(folder, ComponentFormat.ONNX), inputs);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-4, "element " + i);
        }
    }

    private float[] predict(DenoiserGraph model, Map<String, OnnxTensor> inputs) throws OrtException {
        return OnnxRunner.floats(runner.run(model.graph(), inputs).get("out_sample"));
    }
}
