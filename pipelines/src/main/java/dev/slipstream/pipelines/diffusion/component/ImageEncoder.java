package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A picture to latents: the encoder of the autoencoder, for one size; pictures that are larger are encoded in tiles of
 * that size. One call at a time; it owns its engine.
 */
public final class ImageEncoder implements AutoCloseable {
    private static final float LEAST_LOG_VARIANCE = -30;
    private static final float MOST_LOG_VARIANCE = 20;

    private final DecoderConfig config;
    private final StaticGraph model;
    private final EngineRunner runner;
    private final Shape latents;

    private ImageEncoder(DecoderConfig config, StaticGraph model, EngineRunner runner, Shape latents) {
        this.config = config;
        this.model = model;
        this.runner = runner;
        this.latents = latents;
    }

    /**
     * The encoder for pictures of such latents.
     *
     * @throws GraphException if it makes something else of pictures of this size
     */
    public static StaticGraph fix(Graph graph, TensorType latents, int pixelsPerLatent) {
        Shape shape = latents.shape();
        StaticGraph model = StaticGraph.fix("vae_encoder", graph, Map.of(graph.inputs().getFirst().getName(),
            TensorType.of(DataType.FLOAT32, 1, Planes.COLOURS, shape.dim(2) * pixelsPerLatent,
                shape.dim(3) * pixelsPerLatent)));
        Shape made = model.outputType().shape();
        boolean fits = made.rank() == 4 && made.dim(2) == shape.dim(2) && made.dim(3) == shape.dim(3)
            && (made.dim(1) == shape.dim(1) || made.dim(1) == 2 * shape.dim(1));
        if (!fits) {
            throw new GraphException("vae_encoder makes " + made + " of a picture whose latents are " + shape
                + "; it does not belong to this denoiser");
        }
        return model;
    }

    /** @param latents of a tile, for which {@code model} is fixed */
    public static ImageEncoder build(StaticGraph model, DecoderConfig config, TensorType latents, Device device) {
        return new ImageEncoder(config, model, model.build(device), latents.shape());
    }

    /**
     * The latents of a picture, as the loop has them: samples of the distribution that the encoder makes, scaled. What
     * an encoder has sampled by itself is taken as it is. Tiles are joined before they are sampled.
     *
     * @param picture {@code [3, height, width]}, -1 to 1; of the size of a tile, or with longer sides
     * @param noises each decides a sample
     * @param firstNumber of each noise, for a second picture of the same request
     * @return {@code [noises, channels, height, width]}
     */
    public float[] encode(Planes picture, List<Noise> noises, long firstNumber) {
        Planes made = made(picture);
        boolean samples = made.channels() == latents.dim(1);
        int each = samples ? made.values().length : made.values().length / 2;
        float[] all = new float[Math.multiplyExact(noises.size(), each)];
        for (int i = 0; i < noises.size(); i++) {
            float[] sample = samples ? made.values().clone() : sampled(made.values(), noises.get(i), firstNumber);
            System.arraycopy(scaled(sample), 0, all, i * each, each);
        }
        return all;
    }

    /**
     * The likeliest latents of a picture, the means of the distribution that the encoder makes, which are not scaled.
     *
     * @param picture as in {@link #encode}
     * @return {@code [channels, height, width]}
     */
    public float[] likeliest(Planes picture) {
        float[] made = made(picture).values();
        long plane = made.length / model.outputType().shape().dim(1);
        return Arrays.copyOf(made, Math.toIntExact(latents.dim(1) * plane));
    }

    /**
     * The same, scaled as the loop has latents.
     *
     * @param shifted whether their shift is taken off, too
     */
    public float[] likeliest(Planes picture, boolean shifted) {
        float[] latentsOfPicture = likeliest(picture);
        if (shifted) {
            return scaled(latentsOfPicture);
        }
        for (int i = 0; i < latentsOfPicture.length; i++) {
            latentsOfPicture[i] *= (float) config.scaling().factor();
        }
        return latentsOfPicture;
    }

    private Planes made(Planes picture) {
        Tiling tiling = new Tiling((int) latents.dim(2), (int) latents.dim(3));
        Shape pixels = model.inputType().shape();
        int height = (int) pixels.dim(2);
        int width = (int) pixels.dim(3);
        int factor = height / tiling.height();
        return tiling.join(picture.height() / factor, picture.width() / factor,
            (top, left) -> run(picture.cut(top * factor, left * factor, height, width)));
    }

    private Planes run(Planes tile) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment pixels = arena.allocateFrom(ValueLayout.JAVA_FLOAT, tile.values());
            MemorySegment made = model.finite(
                runner.run(Map.of(model.inputs().keySet().iterator().next(), pixels), arena)).get(model.output());
            return new Planes((int) model.outputType().shape().dim(1), (int) latents.dim(2), (int) latents.dim(3),
                made.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    private static float[] sampled(float[] parameters, Noise noise, long firstNumber) {
        float[] sample = new float[parameters.length / 2];
        noise.fill(sample, firstNumber);
        for (int i = 0; i < sample.length; i++) {
            float logVariance =
                Math.clamp(parameters[sample.length + i], LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE);
            sample[i] = (float) (parameters[i] + Math.exp(logVariance / 2) * sample[i]);
        }
        return sample;
    }

    private float[] scaled(float[] values) {
        int each = values.length / (int) latents.dim(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = config.scaling().fromEncoder(i / each, values[i]);
        }
        return values;
    }

    @Override
    public void close() {
        runner.close();
    }
}
