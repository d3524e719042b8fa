package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.LatentScaling;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encodes with an autoencoder that halves the sides, whole and in tiles. */
class ImageEncoderTest {
    private static final int FACTOR = 2;
    private static final LatentScaling PLAIN = LatentScaling.of(1, 0);

    @TempDir
    private Path folder;
    private Graph encoder;

    @BeforeEach
    void writeEncoder() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, """
            {"norm_num_groups": 2, "block_out_channels": [4, 4], "mid_block_add_attention": false,
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}
            """);
        encoder = AutoencoderKl.encoder(config, new RandomCheckpoint(AutoencoderKl.weights(config)).write(folder))
            .graph();
    }

    private float[] encode(int height, int width, int side, LatentScaling scaling) {
        return encode(height, width, side, scaling,
            (built, picture) -> built.encode(picture, List.of(Noise.ofImage(3)), 0));
    }

    private float[] encode(int height, int width, int side, LatentScaling scaling,
        BiFunction<ImageEncoder, Planes, float[]> way) {
        TensorType latents = TensorType.of(DataType.FLOAT32, 1, 4, height, width);
        TensorType tile = ImageDecoder.tile(latents, side);
        Planes picture = Planes.of(3, height * FACTOR, width * FACTOR);
        for (int i = 0; i < picture.values().length; i++) {
            double x = 2 * Math.PI * (i % picture.width());
            double y = 2 * Math.PI * (i / picture.width());
            picture.values()[i] = (float) (Math.sin(x / 12) + Math.cos(y / 16)) / 2;
        }
        try (Device device = Devices.discover().open(new DeviceSpec("cpu", "1"));
            ImageEncoder built = ImageEncoder.build(ImageEncoder.fix(encoder, tile, FACTOR),
                new DecoderConfig(scaling, 4, FACTOR, side), tile, device)) {
            return way.apply(built, picture);
        }
    }

    @Test
    void latentsAreTheSameBitsWhereOneTileIsEnough() {
        assertArrayEquals(encode(12, 7, 1000, PLAIN), encode(12, 7, 12, PLAIN));
    }

    /** Norms see one tile at a time, which is the price; here a tile has about as many waves as the picture. */
    @Test
    void tilesOfASmoothPictureAreCloseToTheWholeWhateverItsSize() {
        float[] whole = encode(41, 27, 1000, PLAIN);
        float[] tiled = encode(41, 27, 24, PLAIN);

        assertEquals(4 * 41 * 27, tiled.length);
        double error = 0;
        double power = 0;
        for (int i = 0; i < whole.length; i++) {
            error += Math.pow(whole[i] - tiled[i], 2);
            power += Math.pow(whole[i], 2);
        }
        assertNotEquals(0, error, "it was not tiled");
        assertTrue(Math.sqrt(error / power) < 0.1, "the tiles differ by " + Math.sqrt(error / power));
    }

    @Test
    void theLikeliestLatentsAreScaledWithTheirShiftOrWithout() {
        LatentScaling scaling = LatentScaling.of(0.5, 0.25);
        float[] plain = encode(6, 5, 1000, scaling, ImageEncoder::likeliest);
        float[] shifted = encode(6, 5, 1000, scaling, (built, picture) -> built.likeliest(picture, true));
        float[] unshifted = encode(6, 5, 1000, scaling, (built, picture) -> built.likeliest(picture, false));
        assertEquals(4 * 6 * 5, plain.length);
        for (int i = 0; i < plain.length; i++) {
            assertEquals((plain[i] - 0.25) * 0.5, shifted[i], 1e-6);
            assertEquals(plain[i] * 0.5, unshifted[i], 1e-6);
        }
    }

    @Test
    void everyChannelIsScaledByItsOwnMeanAndDeviation() {
        float[] plain = encode(6, 5, 1000, PLAIN);
        List<Double> means = List.of(0.5, -1.0, 0.0, 2.0);
        List<Double> deviations = List.of(2.0, 1.0, 0.5, 4.0);

        float[] scaled = encode(6, 5, 1000, new LatentScaling(0.5, 0, means, deviations));

        for (int i = 0; i < plain.length; i++) {
            int channel = i / 30;
            assertEquals((plain[i] - means.get(channel)) * 0.5 / deviations.get(channel), scaled[i], 1e-6);
        }
    }
}
