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
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Latents to a picture: the decoder of the autoencoder, for one size; latents that are larger are decoded in tiles of
 * that size. One call at a time; it owns its engine.
 */
final class ImageDecoder implements AutoCloseable {
    private final DecoderConfig config;
    private final ComponentModel model;
    private final EngineRunner runner;
    private final Shape latents;

    private ImageDecoder(DecoderConfig config, ComponentModel model, EngineRunner runner, Shape latents) {
        this.config = config;
        this.model = model;
        this.runner = runner;
        this.latents = latents;
    }

    /** The decoder for latents of this type; its first output is the picture, {@code [batch, 3, height, width]}. */
    static ComponentModel fix(Graph graph, TensorType latents) {
        return ComponentModel.fix("vae_decoder", graph, Map.of(graph.inputs().getFirst().getName(), latents));
    }

    /** The type of a tile of these latents, or of all where one tile is enough. @param side of a tile at most */
    static TensorType tile(TensorType latents, int side) {
        Shape shape = latents.shape();
        Tiling tiling = Tiling.of(side, shape.dim(2), shape.dim(3));
        return TensorType.of(latents.type(), shape.dim(0), shape.dim(1), tiling.height(), tiling.width());
    }

    static ImageDecoder build(ComponentModel model, DecoderConfig config, Device device) {
        return build(model, config, model.inputs().values().iterator().next(), device);
    }

    /** @param latents what it will decode, of the type for which {@code model} is fixed or larger than that */
    static ImageDecoder build(ComponentModel model, DecoderConfig config, TensorType latents, Device device) {
        return new ImageDecoder(config, model, model.build(device), latents.shape());
    }

    /** @param source float32 of the type that the decoder was built for; the first picture of the batch is returned */
    Image decode(MemorySegment source) {
        Planes picture = picture(source);
        return Image.ofTensor(picture.values(), picture.width(), picture.height());
    }

    /**
     * Decodes one picture after another, which takes the memory of one.
     *
     * @param source float32 latents of all
     * @param batch their shape; the first dimension says how many there are
     */
    List<Image> decodeAll(MemorySegment source, Shape batch) {
        long bytes = source.byteSize() / batch.dim(0);
        return LongStream.range(0, batch.dim(0))
            .mapToObj(index -> decode(source.asSlice(index * bytes, bytes))).toList();
    }

    /** The same before it is rounded to bytes, from about -1 to 1. */
    Planes picture(MemorySegment source) {
        Shape engine = model.inputs().values().iterator().next().shape();
        Tiling tiling = new Tiling((int) engine.dim(2), (int) engine.dim(3));
        int planes = Math.toIntExact(latents.dim(0) * latents.dim(1));
        float[] scaled = new float[Math.toIntExact(latents.elements())];
        for (int i = 0; i < scaled.length; i++) {
            float value = source.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            scaled[i] = (float) (value / config.scalingFactor() + config.shiftFactor());
        }
        return tiling.decode(new Planes(planes, (int) latents.dim(2), (int) latents.dim(3), scaled), this::run);
    }

    private Planes run(Planes tile) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_FLOAT, tile.values());
            Shape shape = model.outputs().get(model.output()).shape();
            int height = Math.toIntExact(shape.dim(2));
            int width = Math.toIntExact(shape.dim(3));
            Map<String, MemorySegment> inputs = Map.of(model.inputs().keySet().iterator().next(), bytes);
            MemorySegment pixels = runner.run(inputs, arena).get(model.output())
                .asSlice(0, (long) Planes.COLOURS * height * width * Float.BYTES);
            return new Planes(Planes.COLOURS, height, width, pixels.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    @Override
    public void close() {
        runner.close();
    }
}
