package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.join.GraphJoin;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControlNetTest {
    private static final String UNET = """
        {"_class_name": "UNet2DConditionModel", "block_out_channels": [8, 16, 16], "norm_num_groups": 4,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1,
        "attention_head_dim": 2, "cross_attention_dim": 6}""";
    private static final String CONTROL = """
        {"_class_name": "ControlNetModel", "block_out_channels": [8, 16, 16], "norm_num_groups": 4,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"], "layers_per_block": 1,
        "attention_head_dim": 2, "cross_attention_dim": 6, "conditioning_embedding_out_channels": [4, 6],
        "controlnet_conditioning_channel_order": "rgb"}""";
    /** What is added: after the first convolution, each layer and each halving. */
    private static final int RESIDUALS = 6;

    @TempDir
    private Path folder;

    private ConfigFile config(String name, String json) throws IOException {
        return RandomUNet.config(folder.resolve(name), json);
    }

    private Graph control(String name, String json, String... zero) throws IOException {
        ConfigFile config = config(name, json);
        return RandomUNet.graph(config, RandomUNet.write(config, RandomUNet.weights(config), Map.of(), zero));
    }

    private Checkpoint unet() throws IOException {
        ConfigFile config = config("unet", UNET);
        return RandomUNet.write(config, RandomUNet.weights(config), Map.of());
    }

    private Graph unet(boolean controlled) throws IOException {
        return RandomUNet.graph(config("unet", UNET), unet(), controlled ? new String[] {UNet.MID_RESIDUAL}
            : new String[0]);
    }

    /** @param size height and width of the latents; odd ones are halved as in diffusers */
    private static RandomUNet inputs(int rows, int height, int width) throws OrtException {
        return new RandomUNet().at(7).with("sample", rows, 4, height, width).with("encoder_hidden_states", rows, 3, 6)
            .with(ControlNet.CONDITION, rows, 3, 2 * height, 2 * width).with(ControlNet.SCALE, new float[] {0.5f}, 1);
    }

    private static Map<String, List<String>> ties(String... controls) {
        Map<String, List<String>> ties = new HashMap<>();
        IntStream.range(0, RESIDUALS).forEach(i -> ties.put(UNet.DOWN_RESIDUAL + "." + i, List.of(controls).stream()
            .map(control -> GraphJoin.name(control, ControlNet.DOWN_RESIDUAL + "." + i)).toList()));
        ties.put(UNet.MID_RESIDUAL, List.of(controls).stream()
            .map(control -> GraphJoin.name(control, ControlNet.MID_RESIDUAL)).toList());
        return ties;
    }

    @ParameterizedTest
    @CsvSource({"1, 6, 10", "2, 5, 7"})
    void aUNetWithAControlNetIsOneAfterTheOther(int rows, int height, int width) throws IOException, OrtException {
        Graph control = control("control", CONTROL);
        Graph unet = unet(true);
        Graph joined = new GraphJoin().add("controlnet", control, Map.of()).add("", unet, ties("controlnet")).joined();

        float[] together = inputs(rows, height, width).run(joined);

        RandomUNet apart = inputs(rows, height, width);
        List<float[]> residuals = apart.all(control);
        for (int i = 0; i < residuals.size(); i++) {
            String output = control.outputs().get(i).getName();
            apart.with(output.equals(ControlNet.MID_RESIDUAL) ? UNet.MID_RESIDUAL : UNet.DOWN_RESIDUAL + "." + i,
                residuals.get(i), inputs(rows, height, width).shape(control, output));
        }
        assertArrayEquals(apart.run(unet), together);
        assertTrue(difference(inputs(rows, height, width).run(unet(false)), together) > 1e-3);
    }

    private static double difference(float[] one, float[] other) {
        double largest = 0;
        for (int i = 0; i < one.length; i++) {
            largest = Math.max(largest, Math.abs(one[i] - other[i]));
        }
        return largest;
    }

    /** Its last convolutions are zero when training begins. */
    @Test
    void anUntrainedControlNetChangesNothing() throws IOException, OrtException {
        Graph joined = new GraphJoin().add("controlnet", control("control", CONTROL, "controlnet_down_blocks",
            "controlnet_mid_block"), Map.of()).add("", unet(true), ties("controlnet")).joined();

        assertArrayEquals(inputs(2, 6, 10).run(unet(false)), inputs(2, 6, 10).run(joined));
    }

    @Test
    void residualsOfSeveralControlNetsAreAddedUpEachWithItsScale() throws IOException, OrtException {
        Graph control = control("control", CONTROL);
        Graph twice = new GraphJoin().add("first", control, Map.of(ControlNet.SCALE, List.of("first.scale")))
            .add("second", control, Map.of(ControlNet.SCALE, List.of("second.scale")))
            .add("", unet(true), ties("first", "second")).joined();
        Graph once = new GraphJoin().add("controlnet", control, Map.of()).add("", unet(true), ties("controlnet"))
            .joined();

        float[] sum = inputs(1, 6, 10).with("first.scale", new float[] {0.25f}, 1)
            .with("second.scale", new float[] {0.5f}, 1).run(twice);
        float[] single = inputs(1, 6, 10).with(ControlNet.SCALE, new float[] {0.75f}, 1).run(once);

        assertArrayEquals(single, sum, 1e-4f);
        assertEquals(List.of("sample", "timestep", "encoder_hidden_states", ControlNet.CONDITION, "first.scale",
            "second.scale"), twice.inputs().stream().map(ValueInfoProto::getName).toList());
    }

    /** As guidance without a text wants it, one row may be controlled and the other not. */
    @Test
    void eachRowMayHaveItsOwnScale() throws IOException, OrtException {
        Graph control = control("control", CONTROL);
        List<float[]> each = inputs(2, 6, 10).with(ControlNet.SCALE, new float[] {0, 0.5f}, 2).all(control);
        List<float[]> all = inputs(2, 6, 10).all(control);

        for (int i = 0; i < each.size(); i++) {
            float[] row = each.get(i);
            float[] expected = all.get(i).clone();
            Arrays.fill(expected, 0, expected.length / 2, 0);
            assertArrayEquals(expected, row, 1e-9f);
        }
    }

    @Test
    void channelsMayComeInTheOtherOrder() throws IOException, OrtException {
        float[] picture = RandomUNet.values(ControlNet.CONDITION, 1, 3, 12, 20);
        float[] turned = new float[picture.length];
        for (int channel = 0; channel < 3; channel++) {
            System.arraycopy(picture, channel * 240, turned, (2 - channel) * 240, 240);
        }

        List<float[]> rgb = inputs(1, 6, 10).all(control("control", CONTROL));
        List<float[]> bgr = inputs(1, 6, 10).with(ControlNet.CONDITION, turned, 1, 3, 12, 20)
            .all(control("control", CONTROL.replace("\"rgb\"", "\"bgr\"")));

        assertArrayEquals(rgb.getLast(), bgr.getLast());
    }

    @Test
    void globalConditionsAreMeansOverThePicture() throws IOException, OrtException {
        List<float[]> local = inputs(1, 6, 10).all(control("control", CONTROL));
        List<float[]> global = inputs(1, 6, 10).all(control("control",
            CONTROL.replace("\"rgb\"", "\"rgb\", \"global_pool_conditions\": true")));

        List<Float> means = new ArrayList<>();
        float[] first = local.getFirst();
        for (int channel = 0; channel < 8; channel++) {
            double sum = 0;
            for (int i = 0; i < 60; i++) {
                sum += first[channel * 60 + i];
            }
            means.add((float) (sum / 60));
        }
        for (int channel = 0; channel < 8; channel++) {
            assertEquals(means.get(channel), global.getFirst()[channel], 1e-5f);
        }
    }

    /** Parameters of the published model. */
    @Test
    void thatOfStableDiffusion15HasAllItsParameters() throws IOException {
        ConfigFile config = config("sd15", "{\"_class_name\": \"ControlNetModel\", \"cross_attention_dim\": 768}");

        assertEquals(361_279_120L, RandomUNet.weights(config).values().stream().mapToLong(Shape::elements).sum());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"rgb\" | \"gbr\" | \"controlnet_conditioning_channel_order\" is \"gbr\", which is not supported; supported "
            + "are rgb and bgr",
        "[4, 6] | [] | \"conditioning_embedding_out_channels\" must have 1 to 16 numbers, not 0",
        "\"rgb\" | \"rgb\", \"mid_block_type\": null | \"mid_block_type\" is null, which is not supported",
        "\"rgb\" | \"rgb\", \"up_block_types\": [] | \"up_block_types\" is an option that is not supported",
        "\"rgb\" | \"rgb\", \"encoder_hid_dim\": 3 | \"encoder_hid_dim\" is 3, which is not supported; leave it out"})
    void optionsThatAreNotSupportedAreRefusedByName(String from, String to, String complaint) throws IOException {
        ConfigFile config = config("control", CONTROL.replace(from, to));

        assertEquals(config.path() + ": " + complaint,
            assertThrows(ModelException.class, () -> RandomUNet.weights(config)).getMessage());
    }
}
