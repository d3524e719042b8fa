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
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Latents to a picture, or to frames of a video that are decoded together: the decoder of the autoencoder, for one
 * size; latents that are larger are decoded in tiles of that size. One call at a time; it owns its engine.
 */
public final class ImageDecoder implements AutoCloseable {
    /** So far from black (-1) and white (1) no decoder goes, whatever the latents. */
    private static final float FAR = 1000;

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

    /** How many pictures, or frames of a video, one run of the engine makes. */
    public int together() {
        return Math.toIntExact(tile().shape().dim(0));
    }

    /**
     * Decodes as many pictures as the engine makes together.
     *
     * @param source float32 latents
     * @param latents their shape, that of a tile or with longer sides
     * @throws BadValueException if the decoder makes NaN or infinite values, or shows nothing of what varies in the
     *     latents
     */
    public List<Image> decode(MemorySegment source, Shape latents) {
        Planes all = picture(source, latents);
        int each = all.values().length / together();
        long bytes = latents.elements() * Float.BYTES / together();
        return IntStream.range(0, together()).mapToObj(index -> seen(new Planes(Planes.COLOURS, all.height(),
            all.width(), Arrays.copyOfRange(all.values(), index * each, (index + 1) * each)),
            source.asSlice(index * bytes, bytes), latents.dim(1))).toList();
    }

    /** @param channels of the latents */
    private Image seen(Planes picture, MemorySegment latents, long channels) {
        Image image = Image.ofTensor(picture.values(), picture.width(), picture.height());
        if (isPlain(image.rgb()) && showsNothing(picture)
            && varies(latents, latents.byteSize() / Float.BYTES / channels)) {
            byte[] colour = image.rgb();
            throw new BadValueException("%s made a picture of one colour, #%02x%02x%02x, of latents that are not: its "
                .formatted(model.name(), colour[0], colour[1], colour[2]) + "weights are damaged or do not belong to "
                + "this model; another autoencoder is taken from a folder with --vae");
        }
        return image;
    }

    private static boolean isPlain(byte[] pixels) {
        return IntStream.range(Planes.COLOURS, pixels.length)
            .allMatch(i -> pixels[i] == pixels[i - Planes.COLOURS]);
    }

    /**
     * Colours that vary out of sight, as those of a plain sky may, are none that a broken decoder makes, nor are the
     * ends of the range, to which some decoders clamp by themselves.
     */
    private static boolean showsNothing(Planes picture) {
        float[] values = picture.values();
        int each = values.length / picture.channels();
        return IntStream.range(0, values.length).allMatch(i -> Math.abs(values[i]) > FAR
            || values[i] == values[i / each * each] && Math.abs(values[i]) != 1);
    }

    /** @param each numbers of a channel */
    private static boolean varies(MemorySegment latents, long each) {
        return latents.elements(MemoryLayout.sequenceLayout(each, ValueLayout.JAVA_FLOAT))
            .anyMatch(channel -> channel.mismatch(channel.asSlice(Float.BYTES)) < (each - 1) * Float.BYTES);
    }

    /** The same before they are rounded to bytes, from about -1 to 1; the colours of one after those of another. */
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
            MemorySegment pixels = model.finite(runner.run(inputs, arena)).get(model.output())
                .asSlice(0, (long) together() * Planes.COLOURS * height * width * Float.BYTES);
            return new Planes(together() * Planes.COLOURS, height, width, pixels.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    @Override
    public void close() {
        runner.close();
    }
}
