package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.LatentScaling;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Decodes with an autoencoder that doubles the sides, whole and in tiles. */
class ImageDecoderTest {
    private static final DecoderConfig CONFIG = new DecoderConfig(LatentScaling.of(0.5, 0.1), 4, 2, 24);

    @TempDir
    private Path folder;

    private Graph decoder() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, """
            {"norm_num_groups": 2, "block_out_channels": [4, 4], "mid_block_add_attention": false,
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
            """);
        RandomCheckpoint weights = new RandomCheckpoint(AutoencoderKl.weights(config));
        // Residual blocks that do little, as those of trained networks: what is far away then has little effect.
        AutoencoderKl.weights(config).forEach((name, shape) -> {
            if (name.endsWith("conv2.weight")) {
                weights.with(name, 0.1, shape);
            }
        });
        return AutoencoderKl.decoder(config, weights.write(folder)).graph();
    }

    private Planes decode(Graph graph, TensorType latents, int side) {
        return decode(graph, latents, side, CONFIG, 1);
    }

    /** @param strength how large the first channel of the latents is, beside the others */
    private Planes decode(Graph graph, TensorType latents, int side, DecoderConfig config, double strength) {
        try (Device device = Devices.discover().open(new DeviceSpec("cpu", "1"));
            ImageDecoder decoder = ImageDecoder.build(ImageDecoder.fix(graph, ImageDecoder.tile(latents, side)),
                config, device);
            Arena arena = Arena.ofShared()) {
            MemorySegment values = arena.allocate(latents.bytes(), 64);
            long width = latents.shape().dim(3);
            for (long i = 0; i < latents.shape().elements(); i++) {
                double x = 2 * Math.PI * (i % width);
                double y = 2 * Math.PI * (i / width);
                double scale = i < width * latents.shape().dim(2) ? strength : 1;
                values.setAtIndex(ValueLayout.JAVA_FLOAT, i,
                    (float) (scale * (Math.sin(x / 6) + Math.cos(y / 8))));
            }
            return decoder.picture(values, latents.shape());
        }
    }

    @Test
    void onePictureIsTheSameBitsWhereOneTileIsEnough() throws IOException {
        TensorType latents = TensorType.of(DataType.FLOAT32, 1, 4, 12, 16);
        Graph graph = decoder();

        assertEquals(latents, ImageDecoder.tile(latents, CONFIG.tileSide()));
        assertArrayEquals(decode(graph, latents, 1000).values(),
            decode(graph, latents, CONFIG.tileSide()).values());
    }

    @Test
    void everyChannelIsScaledByItsOwnDeviation() throws IOException {
        TensorType latents = TensorType.of(DataType.FLOAT32, 1, 4, 6, 5);
        Graph graph = decoder();
        DecoderConfig perChannel = new DecoderConfig(new LatentScaling(0.5, 0, List.of(0.1, 0.1, 0.1, 0.1),
            List.of(2.0, 1.0, 1.0, 1.0)), 4, 2, 24);

        assertArrayEquals(decode(graph, latents, 1000, CONFIG, 2).values(),
            decode(graph, latents, 1000, perChannel, 1).values());
    }

    /** Norms see one tile at a time, which is the price; here a tile has as many waves as the picture, for its size. */
    @Test
    void tilesOfASmoothPictureAreCloseToTheWhole() throws IOException {
        TensorType latents = TensorType.of(DataType.FLOAT32, 1, 4, 40, 56);
        Graph graph = decoder();

        Planes whole = decode(graph, latents, 1000);
        Planes tiled = decode(graph, latents, CONFIG.tileSide());

        assertEquals(whole.height(), tiled.height());
        assertEquals(112, tiled.width());
        double error = 0;
        double power = 0;
        for (int i = 0; i < whole.values().length; i++) {
            error += Math.pow(whole.values()[i] - tiled.values()[i], 2);
            power += Math.pow(whole.values()[i], 2);
        }
        assertTrue(Math.sqrt(error / power) < 0.1, "the tiles differ by " + Math.sqrt(error / power));
    }
}
