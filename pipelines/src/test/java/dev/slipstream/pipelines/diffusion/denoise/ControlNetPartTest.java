package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ControlNets as pipelines take them: a scale for each residual and row, and refused where they do not fit. */
class ControlNetPartTest {
    private static final int SIDE = 8;
    private static final Random RANDOM = new Random(3);

    @TempDir
    private Path folder;

    private Path write(ModelFamily family) {
        Path made = folder.resolve(family.id());
        if (!Files.exists(made)) {
            ModelTemplate.of(family, true).write(made);
        }
        return made;
    }

    private static float[] random(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) RANDOM.nextGaussian();
        }
        return values;
    }

    private static Map<String, OnnxTensor> inputs(OnnxRunner runner, int channels) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        float[] latents = random(2 * 4 * SIDE * SIDE);
        float[] wide = new float[2 * channels * SIDE * SIDE];
        for (int row = 0; row < 2; row++) {
            System.arraycopy(latents, row * 4 * SIDE * SIDE, wide, row * channels * SIDE * SIDE, 4 * SIDE * SIDE);
        }
        inputs.put("wide", runner.tensor(wide, 2, channels, SIDE, SIDE));
        inputs.put("sample", runner.tensor(latents, 2, 4, SIDE, SIDE));
        inputs.put("timestep", runner.tensor(new long[] {501}, 1));
        inputs.put("encoder_hidden_states", runner.tensor(random(2 * 5 * 32), 2, 5, 32));
        inputs.put("controlnet_cond", runner.tensor(random(2 * 3 * 64 * 64), 2, 3, 64, 64));
        inputs.put("conditioning_scale", runner.tensor(new float[] {1}, 1));
        return inputs;
    }

    /** Also for an inpainting denoiser, whose latents are the first of its channels. */
    @Test
    void eachResidualIsMultipliedByItsScaleInEachRow() throws OrtException {
        Graph plain = ControlNetPart.read(write(ModelFamily.CONTROLNET_SD15));
        OnnxRunner runner = new OnnxRunner();
        for (ModelFamily base : new ModelFamily[] {ModelFamily.SD15, ModelFamily.INPAINT}) {
            DenoiserGraph denoiser = DenoiserGraph.read(ModelFolder.open(write(base)), ComponentFormat.CHECKPOINT);
            Map<String, OnnxTensor> inputs = inputs(runner, base == ModelFamily.SD15 ? 4 : 9);
            Map<String, OnnxTensor> alone = runner.run(plain, inputs);
            Graph fitted = ControlNetPart.fitted(plain, denoiser, write(ModelFamily.CONTROLNET_SD15));
            int count = plain.outputs().size();
            float[] scales = random(2 * count);
            inputs.put("sample", inputs.get("wide"));
            inputs.put("timestep", runner.tensor(new float[] {501}, 1));
            inputs.put("residual_scales", runner.tensor(scales, 2, count));
            Map<String, OnnxTensor> scaled = runner.run(fitted, inputs);

            for (int i = 0; i < count; i++) {
                String name = plain.outputs().get(i).getName();
                float[] expected = OnnxRunner.floats(alone.get(name));
                for (int j = 0; j < expected.length; j++) {
                    expected[j] *= scales[j / (expected.length / 2) * count + i];
                }
                assertArrayEquals(expected, OnnxRunner.floats(scaled.get(name)), name);
            }
        }
    }

    /** As diffusers' pipeline gives it zeros for the pooled text unless its configuration says otherwise. */
    @Test
    void thatOfStableDiffusion3SeesNoPooledTextUnlessItWasTaughtTo() throws OrtException, IOException {
        Path net = write(ModelFamily.CONTROLNET_SD3);
        Graph plain = ControlNetPart.read(net);
        DenoiserGraph denoiser = DenoiserGraph.read(ModelFolder.open(write(ModelFamily.SD3_MEDIUM)),
            ComponentFormat.CHECKPOINT);
        OnnxRunner runner = new OnnxRunner();
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("hidden_states", runner.tensor(random(2 * 16 * SIDE * SIDE), 2, 16, SIDE, SIDE));
        inputs.put("controlnet_cond", runner.tensor(random(2 * 16 * SIDE * SIDE), 2, 16, SIDE, SIDE));
        inputs.put("encoder_hidden_states", runner.tensor(random(2 * 3 * 64), 2, 3, 64));
        inputs.put("timestep", runner.tensor(new float[] {501}, 1));
        inputs.put("conditioning_scale", runner.tensor(new float[] {1}, 1));
        inputs.put("residual_scales", runner.tensor(new float[] {1, 2, 3, 4}, 2, 2));
        float[] text = random(2 * 64);
        for (boolean sees : new boolean[] {false, true}) {
            if (sees) {
                Path config = net.resolve("config.json");
                Files.writeString(config, Files.readString(config)
                    .replaceFirst("\\{", "{\"force_zeros_for_pooled_projection\": false,"));
            }
            inputs.put("pooled_projections", runner.tensor(sees ? text : new float[text.length], 2, 64));
            float[] expected = OnnxRunner.floats(runner.run(plain, inputs).get("controlnet_block_samples.1"));
            for (int i = 0; i < expected.length; i++) {
                expected[i] *= i < expected.length / 2 ? 2 : 4;
            }
            inputs.put("pooled_projections", runner.tensor(text, 2, 64));
            assertArrayEquals(expected, OnnxRunner.floats(runner.run(ControlNetPart.fitted(plain, denoiser, net),
                inputs).get("controlnet_block_samples.1")), 1e-6f);
            assertEquals(sees ? ControlNetPart.Reading.LATENTS : ControlNetPart.Reading.UNSHIFTED_LATENTS,
                ControlNetPart.of("controlnet", net, plain, false).reading());
        }
    }

    private String refused(ModelFamily base, Path control) {
        return assertThrows(ModelException.class, () -> ControlNets.steered(ModelFolder.open(write(base)),
            ComponentFormat.CHECKPOINT, List.of(control))).getMessage();
    }

    @Test
    void aControlNetThatDoesNotFitIsRefusedByName() {
        Path sd15 = write(ModelFamily.CONTROLNET_SD15);
        Path sdxl = write(ModelFamily.CONTROLNET_SDXL);

        assertTrue(refused(ModelFamily.SD15, sdxl).startsWith(sdxl + ": this ControlNet does not fit the denoiser of "
            + folder.resolve("sd15") + ": it reads 't"), refused(ModelFamily.SD15, sdxl));
        assertTrue(refused(ModelFamily.SDXL, sd15).startsWith(sd15 + ": this ControlNet does not fit the denoiser of "
            + folder.resolve("sdxl") + ": the denoiser takes nothing of [[/controlnet/down_block_res_samples.9]"),
            refused(ModelFamily.SDXL, sd15));
        assertTrue(refused(ModelFamily.SD15, write(ModelFamily.SD15).resolve("unet")).endsWith(
            "it has no input 'controlnet_cond', so it is no ControlNet"));
        assertEquals("there is no folder " + folder.resolve("missing") + " with a ControlNet",
            refused(ModelFamily.SD15, folder.resolve("missing")));
    }

    /** As many residuals, of other widths. */
    @Test
    void residualsOfOtherWidthsAreRefusedByName() throws IOException {
        Path narrow = write(ModelFamily.CONTROLNET_SD15);
        Path base = write(ModelFamily.SD15);
        ConfigFile config = ConfigFile.read(base.resolve("unet/config.json"));
        config.root().getAsJsonArray("block_out_channels").set(0, new JsonPrimitive(12));
        Files.writeString(config.path(), config.root().toString());
        Map<String, StoredTensor> weights = new HashMap<>();
        ComponentKinds.of(config).weights(config).forEach((name, shape) ->
            weights.put(name, StoredTensor.of(shape, new float[(int) shape.elements()])));
        SafetensorsWriter.write(base.resolve("unet/diffusion_pytorch_model.safetensors"), weights, Map.of());

        String message = assertThrows(ModelException.class, () -> ControlNets.steered(ModelFolder.open(base),
            ComponentFormat.CHECKPOINT, List.of(narrow))).getMessage();
        assertTrue(message.contains("input 'down_block_additional_residuals.0'") && message.contains(" has 12 ")
            && message.contains(", which it is to read, 8"), message);
    }

    @Test
    void exportedDenoisersWithoutInputsForResidualsAreRefused() {
        String message = assertThrows(ModelException.class, () -> ControlNets.steered(
            ModelFolder.open(Path.of("../samples/model")), ComponentFormat.ONNX,
            List.of(write(ModelFamily.CONTROLNET_SD15)))).getMessage();
        assertTrue(message.endsWith("the denoiser takes nothing of what ControlNets add; take its checkpoint, or "
            + "export it with inputs for that"), message);
    }
}
