package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.run.BadValueException;
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
public final class ImageDecoder implements AutoCloseable {
    private final DecoderConfig config;
    private final StaticGraph model;
    private final EngineRunner runner;

    private ImageDecoder(DecoderConfig config, StaticGraph model, EngineRunner runner) {
        this.config = config;
        this.model = model;
        this.runner = runner;
    }

    /** The decoder for latents of this type; its first output is the picture, {@code [batch, 3, height, width]}. */
    public static StaticGraph fix(Graph graph, TensorType latents) {
        return StaticGraph.fix("vae_decoder", graph, Map.of(graph.inputs().getFirst().getName(), latents));
    }

    /** The type of a tile of these latents, or of all where one tile is enough. @param side of a tile at most */
    public static TensorType tile(TensorType latents, int side) {
        Shape shape = latents.shape();
        Tiling tiling = Tiling.of(side, shape.dim(2), shape.dim(3));
        return TensorType.of(latents.type(), shape.dim(0), shape.dim(1), tiling.height(), tiling.width());
    }

    public static ImageDecoder build(StaticGraph model, DecoderConfig config, Device device) {
        return new ImageDecoder(config, model, model.build(device));
    }

    /** The type of a tile, for which the engine is. */
    public TensorType tile() {
        return model.inputType();
    }

    /**
     * @param source float32 latents
     * @param latents their shape, that of a tile or with longer sides; the first picture of the batch is returned
     */
    public Image decode(MemorySegment source, Shape latents) {
        Planes picture = picture(source, latents);
        try {
            return Image.ofTensor(picture.values(), picture.width(), picture.height());
        } catch (ArithmeticException notFinite) {
            throw new BadValueException(notFinite.getMessage());
        }
    }

    /**
     * Decodes one picture after another, which takes the memory of one.
     *
     * @param source float32 latents of all
     * @param batch their shape; the first dimension says how many there are
     */
    public List<Image> decodeAll(MemorySegment source, Shape batch) {
        Shape one = Shape.of(1, batch.dim(1), batch.dim(2), batch.dim(3));
        long bytes = one.elements() * Float.BYTES;
        return LongStream.range(0, batch.dim(0))
            .mapToObj(index -> decode(source.asSlice(index * bytes, bytes), one)).toList();
    }

    /** The same before it is rounded to bytes, from about -1 to 1. */
    public Planes picture(MemorySegment source, Shape latents) {
        Shape tile = tile().shape();
        Tiling tiling = new Tiling((int) tile.dim(2), (int) tile.dim(3));
        Planes scaled = scaled(source, latents);
        return tiling.join(scaled.height(), scaled.width(),
            (top, left) -> run(scaled.cut(top, left, tiling.height(), tiling.width())));
    }

    /** What the decoder wants, with the pictures of a batch one after another. */
    private Planes scaled(MemorySegment source, Shape latents) {
        int channels = Math.toIntExact(latents.dim(1));
        Planes scaled = Planes.of(Math.toIntExact(latents.dim(0) * channels), Math.toIntExact(latents.dim(2)),
            Math.toIntExact(latents.dim(3)));
        int each = scaled.height() * scaled.width();
        for (int i = 0; i < scaled.values().length; i++) {
            scaled.values()[i] =
                config.scaling().toDecoder(i / each % channels, source.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        return scaled;
    }

    private Planes run(Planes tile) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_FLOAT, tile.values());
            Shape shape = model.outputType().shape();
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
