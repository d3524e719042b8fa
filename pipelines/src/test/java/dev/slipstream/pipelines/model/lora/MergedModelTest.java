package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a denoiser with a LoRA computes. */
class MergedModelTest {
    private static final String LAYER = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k";

    private final OnnxRunner runner = new OnnxRunner();

    @TempDir
    private Path folder;
    private Path model;
    private Loras loras;

    @BeforeEach
    void write() {
        model = folder.resolve("model");
        ModelTemplate.of(ModelFamily.SD15, true).write(model);
        Path file = folder.resolve("style.safetensors");
        SafetensorsWriter.write(file, Map.of("unet." + LAYER + ".lora_A.weight", random(2, 32),
            "unet." + LAYER + ".lora_B.weight", random(16, 2)), Map.of());
        loras = Loras.NONE.storedIn(new WeightStore(folder.resolve("store"), Long.MAX_VALUE)).and(Lora.read(file), 0.5);
    }

    private static StoredTensor random(long... dims) {
        Random random = new Random(3);
        float[] values = new float[(int) Shape.of(dims).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return StoredTensor.of(Shape.of(dims), values);
    }

    private float[] predict(Loras with) throws OrtException {
        try (OpenLoras open = with.open()) {
            return predict(open.mergedInto(ModelFolder.open(model)));
        }
    }

    private float[] predict(ModelFolder from) throws OrtException {
        Graph graph = DenoiserGraph.read(from, ComponentFormat.CHECKPOINT).graph();
        Map<String, OnnxTensor> inputs = Map.of("sample", runner.tensor(random(1, 4, 8, 8).toFloats(), 1, 4, 8, 8),
            "timestep", runner.tensor(new float[] {100}, 1),
            "encoder_hidden_states", runner.tensor(random(1, 5, 32).toFloats(), 1, 5, 32));
        return OnnxRunner.floats(runner.run(graph, inputs).get("out_sample"));
    }

    @Test
    void itComputesWhatOneWithTheWeightsWrittenOutDoes() throws OrtException {
        float[] merged = predict(loras);
        assertFalse(Arrays.equals(predict(Loras.NONE), merged), "the LoRA changes nothing");
        Path unet = model.resolve("unet");
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        try (ComponentWeights weights = ComponentWeights.open(unet)) {
            weights.tensors().forEach((name, tensor) ->
                tensors.put(name, StoredTensor.of(tensor.shape(), tensor.toFloats())));
        }
        tensors.computeIfPresent(LAYER + ".weight", (name, tensor) -> changed(tensor));
        SafetensorsWriter.write(unet.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
        assertArrayEquals(predict(Loras.NONE), merged, 1e-5f);
    }

    private static StoredTensor changed(StoredTensor weight) {
        float[] down = random(2, 32).toFloats();
        float[] up = random(16, 2).toFloats();
        float[] values = weight.toFloats();
        for (int i = 0; i < values.length; i++) {
            for (int r = 0; r < 2; r++) {
                values[i] += 0.5f * up[i / 32 * 2 + r] * down[r * 32 + i % 32];
            }
        }
        return StoredTensor.of(weight.shape(), values);
    }

    @Test
    void withoutTheLoraItIsTheSameAsBeforeBitForBit() throws OrtException {
        float[] before = predict(Loras.NONE);
        predict(loras);
        assertArrayEquals(before, predict(Loras.NONE));
    }
}
