package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Denoisers of videos of other depths, sizes and numbers of frames than the reference components have. */
class VideoUNetTest {
    private static final String BASE = """
        {"_class_name": "UNet2DConditionModel", "block_out_channels": [8, 16, 16], "norm_num_groups": 4,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1,
        "attention_head_dim": 2, "cross_attention_dim": 6, "use_linear_projection": true}""";
    private static final String ADAPTER = """
        {"_class_name": "MotionAdapter", "block_out_channels": [8, 16, 16], "motion_layers_per_block": 1,
        "motion_num_attention_heads": 4, "motion_max_seq_length": 5, "motion_transformer_layers_per_block": 2,
        "use_motion_mid_block": %s}""";
    private static final String VIDEO = """
        {"_class_name": "UNetSpatioTemporalConditionModel", "block_out_channels": [64, 32, 32],
        "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal",
        "CrossAttnDownBlockSpatioTemporal"],
        "up_block_types": ["CrossAttnUpBlockSpatioTemporal", "UpBlockSpatioTemporal",
        "CrossAttnUpBlockSpatioTemporal"], "layers_per_block": [1, 2, 1], "transformer_layers_per_block": [2, 1, 1],
        "num_attention_heads": [4, 2, 2], "cross_attention_dim": 6, "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 12}""";

    @TempDir
    private Path folder;

    private ConfigFile config(String name, String json) throws IOException {
        return RandomUNet.config(folder.resolve(name), json);
    }

    private Graph adapted(ConfigFile adapter, ConfigFile base, String... zero) {
        Map<String, Shape> all = new HashMap<>();
        GraphBuilder asked = new GraphBuilder(
            "nothing", folder, Map.of());
        MotionUNet.writeAdapter(adapter, asked, GraphOptions.NONE.withBase(base));
        all.putAll(asked.wanted());
        Map<String, Shape> ofBase = RandomUNet.weights(base);
        all.keySet().removeAll(ofBase.keySet());
        Checkpoint both = RandomUNet.write(adapter, all, Map.of(), zero)
            .with(RandomUNet.write(base, ofBase, Map.of()));
        return ComponentKinds.of(adapter).write(adapter, both, GraphOptions.NONE.withBase(base)).graph();
    }

    /** A motion module that adds nothing leaves each frame to the U-Net. */
    @ParameterizedTest
    @CsvSource({"1, true", "3, true", "5, false"})
    void framesWithoutMotionAreThoseOfTheUNet(int frames, boolean mid) throws IOException, OrtException {
        ConfigFile base = config("base", BASE);
        Graph video = adapted(config("adapter", ADAPTER.formatted(mid)), base, ".motion_modules.0.proj_out",
            ".motion_modules.1.proj_out");
        Graph picture = RandomUNet.graph(base, Checkpoint.open(base.path().getParent()));

        float[] moved = new RandomUNet().at(7).with("sample", 1, 4, frames, 6, 10)
            .with("encoder_hidden_states", frames, 3, 6).run(video);

        float[] sample = RandomUNet.values("sample", 1, 4, frames, 6, 10);
        float[] text = RandomUNet.values("encoder_hidden_states", frames, 3, 6);
        for (int frame = 0; frame < frames; frame++) {
            float[] still = new RandomUNet().at(7).with("sample", frame(sample, frame, frames, 60), 1, 4, 6, 10)
                .with("encoder_hidden_states", Arrays.copyOfRange(text, frame * 18, frame * 18 + 18), 1, 3, 6)
                .run(picture);
            assertArrayEquals(still, frame(moved, frame, frames, 60), 1e-4f);
        }
    }

    /** A frame of [channels, frames, pixels]. */
    private static float[] frame(float[] video, int frame, int frames, int pixels) {
        float[] one = new float[video.length / frames];
        for (int channel = 0; channel < one.length / pixels; channel++) {
            System.arraycopy(video, (channel * frames + frame) * pixels, one, channel * pixels, pixels);
        }
        return one;
    }

    @Test
    void videosOfABatchDoNotSeeEachOther() throws IOException, OrtException {
        Graph motion = adapted(config("adapter", ADAPTER.formatted(true)), config("base", BASE));
        float[] both = new RandomUNet().at(7).with("sample", 2, 4, 3, 6, 10)
            .with("encoder_hidden_states", 6, 3, 6).run(motion);
        float[] sample = RandomUNet.values("sample", 2, 4, 3, 6, 10);
        float[] text = RandomUNet.values("encoder_hidden_states", 6, 3, 6);
        float[] second = new RandomUNet().at(7)
            .with("sample", Arrays.copyOfRange(sample, sample.length / 2, sample.length), 1, 4, 3, 6, 10)
            .with("encoder_hidden_states", Arrays.copyOfRange(text, text.length / 2, text.length), 3, 3, 6).run(motion);

        assertArrayEquals(second, Arrays.copyOfRange(both, both.length / 2, both.length), 1e-4f);
    }

    @Test
    void framesThatMoveSeeEachOther() throws IOException, OrtException {
        Graph motion = adapted(config("adapter", ADAPTER.formatted(true)), config("base", BASE));
        float[] sample = RandomUNet.values("sample", 1, 4, 3, 6, 10);
        RandomUNet unet = new RandomUNet().at(7).with("encoder_hidden_states", 3, 3, 6);
        float[] before = frame(unet.with("sample", sample, 1, 4, 3, 6, 10).run(motion), 0, 3, 60);
        sample[2 * 60] += 5;
        float[] after = frame(unet.with("sample", sample, 1, 4, 3, 6, 10).run(motion), 0, 3, 60);

        assertTrue(difference(before, after) > 1e-3);
    }

    private static double difference(float[] one, float[] other) {
        double largest = 0;
        for (int i = 0; i < one.length; i++) {
            largest = Math.max(largest, Math.abs(one[i] - other[i]));
        }
        return largest;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"motion_layers_per_block\": 1 | \"motion_layers_per_block\": 2 | \"motion_layers_per_block\" is [2, 2, 2], "
            + "but the U-Net has [1, 1, 1]",
        "[8, 16, 16] | [8, 16] | \"block_out_channels\" is [8, 16], but the U-Net has [8, 16, 16]",
        "\"motion_num_attention_heads\": 4 | \"motion_num_attention_heads\": 9 | \"motion_num_attention_heads\" means "
            + "9 heads, more than the 8 channels of a block",
        "\"motion_num_attention_heads\": 4 | \"conv_in_channels\": 9 | \"conv_in_channels\" is 9, which is not "
            + "supported; leave it out",
        "\"motion_num_attention_heads\": 4 | \"rotary\": 9 | \"rotary\" is an option that is not supported"})
    void anAdapterThatDoesNotFitIsRefused(String from, String to, String complaint) throws IOException {
        ConfigFile base = config("base", BASE);
        ConfigFile adapter = config("adapter", ADAPTER.formatted(true).replace(from, to));

        String message = assertThrows(ModelException.class,
            () -> Motion.ofAdapter(adapter, UNetConfig.read(base).blocks())).getMessage();

        assertEquals(adapter.path() + ": " + complaint, message);
    }

    @Test
    void anAdapterAloneIsRefused() throws IOException {
        ConfigFile adapter = config("adapter", ADAPTER.formatted(true));

        assertTrue(assertThrows(ModelException.class, () -> RandomUNet.weights(adapter)).getMessage()
            .endsWith("\"_class_name\" is MotionAdapter, which works only in a U-Net; give the folder of one beside "
                + "it (--base), of Stable Diffusion 1.5 for most"));
    }

    /** Parameters of the published model. */
    @Test
    void stableVideoDiffusionHasAllItsParameters() throws IOException {
        ConfigFile config = config("svd", """
            {"_class_name": "UNetSpatioTemporalConditionModel", "addition_time_embed_dim": 256,
            "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 1024,
            "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "CrossAttnDownBlockSpatioTemporal",
            "CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"], "in_channels": 8, "layers_per_block": 2,
            "num_attention_heads": [5, 10, 20, 20], "num_frames": 25, "out_channels": 4,
            "projection_class_embeddings_input_dim": 768, "sample_size": 96, "transformer_layers_per_block": 1,
            "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal",
            "CrossAttnUpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"]}""");

        assertEquals(1_524_623_082L, RandomUNet.weights(config).values().stream().mapToLong(Shape::elements).sum());
        ConfigFile silent = config("silent", "{\"_class_name\": \"UNetSpatioTemporalConditionModel\"}");
        assertEquals(RandomUNet.weights(config), RandomUNet.weights(silent));
    }

    private static RandomUNet svd(int videos, int frames, int height, int width) throws OrtException {
        return new RandomUNet().with("timestep", new float[] {-0.3f}, 1)
            .with("sample", videos, frames, 8, height, width).with("encoder_hidden_states", videos, 2, 6)
            .with("added_time_ids", videos, 3);
    }

    /** Where the learned mix takes nothing of what is along time, frames do not see each other. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void mixesOfStillsAreStills(int frames) throws IOException, OrtException {
        ConfigFile config = config("video", VIDEO);
        Map<String, Shape> shapes = RandomUNet.weights(config);
        Map<String, StoredTensor> mixes = new HashMap<>();
        shapes.keySet().stream().filter(name -> name.endsWith("mix_factor"))
            .forEach(name -> mixes.put(name, StoredTensor.of(Shape.of(1), new float[] {50})));
        Graph graph = RandomUNet.graph(config, RandomUNet.write(config, shapes, mixes));
        float[] all = svd(1, frames, 6, 10).run(graph);
        float[] sample = RandomUNet.values("sample", 1, frames, 8, 6, 10);

        for (int frame = 0; frame < frames; frame++) {
            float[] one = svd(1, 1, 6, 10).with("sample",
                Arrays.copyOfRange(sample, frame * 480, frame * 480 + 480), 1, 1, 8, 6, 10).run(graph);
            assertArrayEquals(one, Arrays.copyOfRange(all, frame * 240, frame * 240 + 240), 1e-4f);
        }
    }

    @Test
    void videosOfABatchOfStableVideoDiffusionDoNotSeeEachOther() throws IOException, OrtException {
        ConfigFile config = config("video", VIDEO);
        Graph graph = RandomUNet.graph(config, RandomUNet.write(config, RandomUNet.weights(config), Map.of()));
        float[] both = svd(2, 3, 5, 7).run(graph);
        float[] sample = RandomUNet.values("sample", 2, 3, 8, 5, 7);
        float[] text = RandomUNet.values("encoder_hidden_states", 2, 2, 6);
        float[] ids = RandomUNet.values("added_time_ids", 2, 3);
        float[] second = svd(1, 3, 5, 7)
            .with("sample", Arrays.copyOfRange(sample, sample.length / 2, sample.length), 1, 3, 8, 5, 7)
            .with("encoder_hidden_states", Arrays.copyOfRange(text, 12, 24), 1, 2, 6)
            .with("added_time_ids", Arrays.copyOfRange(ids, 3, 6), 1, 3).run(graph);

        assertArrayEquals(second, Arrays.copyOfRange(both, both.length / 2, both.length), 1e-4f);
        assertEquals(3 * 4 * 35, second.length);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"cross_attention_dim\": 6 | \"cross_attention_dim\": 6, \"norm_num_groups\": 32 | \"norm_num_groups\" is an "
            + "option that is not supported",
        "[4, 2, 2] | [4, 2] | \"num_attention_heads\" must have one entry for each of the 3 blocks, not 2",
        "[\"CrossAttnDownBlockSpatioTemporal\" | [\"CrossAttnDownBlock2D\" | \"down_block_types\" has "
            + "\"CrossAttnDownBlock2D\", which is not supported; supported: CrossAttnDownBlockSpatioTemporal and "
            + "DownBlockSpatioTemporal"})
    void optionsThatAreNotSupportedAreRefusedByName(String from, String to, String complaint) throws IOException {
        ConfigFile config = config("video", VIDEO.replace(from, to));

        assertEquals(config.path() + ": " + complaint,
            assertThrows(ModelException.class, () -> RandomUNet.weights(config)).getMessage());
    }

    /** Weights of both checkpoints of the reference are those of the combined one. */
    @Test
    void anAdapterAndAUNetAreTheCombinedModel() throws IOException {
        Path combined = ReferenceModels.component("unet_motion");
        ConfigFile adapter = ConfigFile.read(ReferenceModels
            .component("motion_adapter").resolve("config.json"));
        ConfigFile base = ConfigFile.read(ReferenceModels
            .component("motion_base").resolve("config.json"));
        GraphBuilder asked =
            new GraphBuilder("nothing", folder, Map.of());
        MotionUNet.writeAdapter(adapter, asked, GraphOptions.NONE.withBase(base));

        Map<String, Shape> stored = new HashMap<>();
        try (SafetensorsFile file =
            SafetensorsFile.open(combined.resolve("diffusion_pytorch_model.safetensors"))) {
            file.tensors().forEach((name, tensor) -> stored.put(name, tensor.shape()));
        }
        assertEquals(stored, asked.wanted());
    }
}
