package dev.slipstream.pipelines.model.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipVisionModelTest {
    private static final String TINY = """
        {"architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model", "hidden_size": 12,
        "intermediate_size": 20, "num_attention_heads": 3, "num_hidden_layers": 2, "image_size": 10, "patch_size": 4,
        "projection_dim": 5, "num_channels": 2}""";

    @TempDir
    private Path folder;

    /** Parameters of the published encoder of Stable Video Diffusion. */
    @Test
    void theLargestHasAllItsParameters() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, """
            {"architectures": ["CLIPVisionModelWithProjection"], "attention_dropout": 0.0, "dropout": 0.0,
            "hidden_act": "gelu", "hidden_size": 1280, "image_size": 224, "initializer_factor": 1.0,
            "initializer_range": 0.02, "intermediate_size": 5120, "layer_norm_eps": 1e-05,
            "model_type": "clip_vision_model", "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 32,
            "patch_size": 14, "projection_dim": 1024, "torch_dtype": "float16"}""");

        assertEquals(632_076_800L,
            ComponentKinds.of(config).weights(config).values().stream().mapToLong(Shape::elements).sum());
    }

    /** What does not fill a patch at the right and below is not looked at. */
    @Test
    void aPictureIsSeenInWholePatches() throws IOException, OrtException {
        ConfigFile config = RandomCheckpoint.config(folder, TINY);
        Graph graph = ComponentKinds.of(config).write(config,
            new RandomCheckpoint(ComponentKinds.of(config).weights(config)).write(folder), GraphOptions.NONE).graph();
        OnnxRunner runner = new OnnxRunner();
        float[] pixels = new float[200];
        for (int i = 0; i < 200; i++) {
            pixels[i] = (float) Math.sin(i);
        }
        Map<String, OnnxTensor> before = runner.run(graph,
            Map.of(ClipVisionModel.PIXEL_VALUES, runner.tensor(pixels, 1, 2, 10, 10)));
        pixels[99] = 50;
        Map<String, OnnxTensor> after = runner.run(graph,
            Map.of(ClipVisionModel.PIXEL_VALUES, runner.tensor(pixels, 1, 2, 10, 10)));

        assertArrayEquals(new long[] {1, 5, 12}, before.get(ClipVisionModel.LAST_HIDDEN_STATE).getInfo().getShape());
        assertArrayEquals(new long[] {1, 5}, before.get(ClipVisionModel.IMAGE_EMBEDS).getInfo().getShape());
        assertArrayEquals(OnnxRunner.floats(before.get(ClipVisionModel.IMAGE_EMBEDS)),
            OnnxRunner.floats(after.get(ClipVisionModel.IMAGE_EMBEDS)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"num_attention_heads\": 3 | \"num_attention_heads\": 5 | \"num_attention_heads\" is 5, which does not divide "
            + "hidden_size 12",
        "\"patch_size\": 4 | \"patch_size\": 14 | \"patch_size\" is 14, more than image_size 10",
        "\"patch_size\": 4 | \"vocab_size\": 14 | \"vocab_size\" is an option that is not supported",
        "clip_vision_model | siglip_vision_model | \"model_type\" is \"siglip_vision_model\", which is no CLIP picture "
            + "encoder"})
    void optionsThatAreNotSupportedAreRefusedByName(String from, String to, String complaint) throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, TINY.replace(from, to));

        assertEquals(config.path() + ": " + complaint, assertThrows(ModelException.class,
            () -> ComponentKinds.of(config).weights(config)).getMessage());
    }
}
