package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.DecoderConfig;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;

/** A picture to latents: the encoder of the autoencoder, for one size. One call at a time; it owns its engine. */
final class ImageEncoder implements AutoCloseable {
    private static final float LEAST_LOG_VARIANCE = -30;
    private static final float MOST_LOG_VARIANCE = 20;

    private final DecoderConfig config;
    private final ComponentModel model;
    private final EngineRunner runner;
    private final boolean samples;

    /** @param samples whether the engine makes latents, not the parameters of their distribution */
    private ImageEncoder(DecoderConfig config, ComponentModel model, EngineRunner runner, boolean samples) {
        this.config = config;
        this.model = model;
        this.runner = runner;
        this.samples = samples;
    }

    /**
     * @param latents what it makes
     * @throws GraphException if the encoder makes something else of pictures of this size
     */
    static ImageEncoder build(Graph graph, DecoderConfig config, TensorType latents, int pixelsPerLatent,
        Device device) {
        Shape shape = latents.shape();
        ComponentModel model = ComponentModel.fix("vae_encoder", graph, Map.of(graph.inputs().getFirst().getName(),
            TensorType.of(DataType.FLOAT32, 1, Planes.COLOURS, shape.dim(2) * pixelsPerLatent,
                shape.dim(3) * pixelsPerLatent)));
        Shape made = model.outputs().get(model.output()).shape();
        boolean fits = made.rank() == 4 && made.dim(2) == shape.dim(2) && made.dim(3) == shape.dim(3)
            && (made.dim(1) == shape.dim(1) || made.dim(1) == 2 * shape.dim(1));
        if (!fits) {
            throw new GraphException("vae_encoder makes " + made + " of a picture whose latents are " + shape
                + "; it does not belong to this denoiser");
        }
        return new ImageEncoder(config, model, model.build(device), made.dim(1) == shape.dim(1));
    }

    /**
     * The latents of a picture, as the loop has them: samples of the distribution that the encoder makes, scaled. What
     * an encoder has sampled by itself is taken as it is.
     *
     * @param picture {@code [3, height, width]}, -1 to 1
     * @param noises each decides a sample
     * @param firstNumber of each noise, for a second picture of the same request
     * @return {@code [noises, channels, height, width]}
     */
    float[] encode(Planes picture, List<Noise> noises, long firstNumber) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment pixels = arena.allocateFrom(ValueLayout.JAVA_FLOAT, picture.values());
            float[] made = runner.run(Map.of(model.inputs().keySet().iterator().next(), pixels), arena)
                .get(model.output()).toArray(ValueLayout.JAVA_FLOAT);
            int each = samples ? made.length : made.length / 2;
            float[] latents = new float[Math.multiplyExact(noises.size(), each)];
            for (int i = 0; i < noises.size(); i++) {
                float[] sample = samples ? made : sampled(made, noises.get(i), firstNumber);
                System.arraycopy(sample, 0, latents, i * each, each);
            }
            return scaled(latents);
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

    private float[] scaled(float[] latents) {
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) ((latents[i] - config.shiftFactor()) * config.scalingFactor());
        }
        return latents;
    }

    @Override
    public void close() {
        runner.close();
    }
}
