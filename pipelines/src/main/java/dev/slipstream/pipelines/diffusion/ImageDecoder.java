package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.DecoderConfig;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/** Latents to a picture: the decoder of the autoencoder, for one size. One call at a time; it owns its engine. */
final class ImageDecoder implements AutoCloseable {
    private final DecoderConfig config;
    private final ComponentModel model;
    private final EngineRunner runner;

    private ImageDecoder(DecoderConfig config, ComponentModel model, EngineRunner runner) {
        this.config = config;
        this.model = model;
        this.runner = runner;
    }

    /** The decoder for latents of this type; its first output is the picture, {@code [batch, 3, height, width]}. */
    static ComponentModel fix(Graph graph, TensorType latents) {
        return ComponentModel.fix("vae_decoder", graph, Map.of(graph.inputs().getFirst().getName(), latents));
    }

    static ImageDecoder build(ComponentModel model, DecoderConfig config, Device device) {
        return new ImageDecoder(config, model, model.build(device));
    }

    /** @param latents float32 of the type that the decoder was built for; the first picture of the batch is returned */
    Image decode(MemorySegment latents) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment scaled = arena.allocate(latents.byteSize(), 64);
            long count = latents.byteSize() / Float.BYTES;
            for (long i = 0; i < count; i++) {
                float value = latents.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                scaled.setAtIndex(ValueLayout.JAVA_FLOAT, i,
                    (float) (value / config.scalingFactor() + config.shiftFactor()));
            }
            String input = model.inputs().keySet().iterator().next();
            Shape shape = model.outputs().get(model.output()).shape();
            float[] pixels = runner.run(Map.of(input, scaled), arena).get(model.output())
                .asSlice(0, 3 * shape.dim(2) * shape.dim(3) * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
            return Image.ofTensor(pixels, (int) shape.dim(3), (int) shape.dim(2));
        }
    }

    @Override
    public void close() {
        runner.close();
    }
}
