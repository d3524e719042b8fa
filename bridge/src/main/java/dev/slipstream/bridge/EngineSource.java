package dev.slipstream.bridge;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What an engine is built from: an ONNX graph.
 *
 * @param name what errors and timelines call it, for example {@code unet/up}
 * @param onnx the serialised graph; read only
 * @param weightFolder the folder that the graph's external data is relative to, if it has any
 * @param dimensions values for named open dimensions ({@code batch_size → 2}); those not named stay open
 * @param wide the same graph for devices that compute halves as float32; empty if it has no halves in other files
 */
public record EngineSource(String name, ByteBuffer onnx, Optional<Path> weightFolder, Map<String, Long> dimensions,
        Optional<Wide> wide) {
    /** Makes a graph whose weights are float32 where they are computed as such: it gives the same bits. */
    @FunctionalInterface
    public interface Wide {
        /**
         * Writes the weights into the folder. The result can be read until the engine is built. Called by {@link
         * Device#build}, on the thread that builds.
         *
         * @throws UncheckedIOException if they cannot be written
         */
        EngineSource into(Path folder);
    }

    public EngineSource {
        onnx = onnx.asReadOnlyBuffer();
        dimensions = Map.copyOf(dimensions);
    }

    /** A graph that is taken as it is. */
    public EngineSource(String name, ByteBuffer onnx, Optional<Path> weightFolder, Map<String, Long> dimensions) {
        this(name, onnx, weightFolder, dimensions, Optional.empty());
    }

    /** A graph that has its weights inside and keeps its open dimensions. */
    public static EngineSource of(String name, byte[] onnx) {
        return new EngineSource(name, ByteBuffer.wrap(onnx), Optional.empty(), Map.of());
    }

    /** The same, which can be made wide. */
    public EngineSource withWide(Wide form) {
        return new EngineSource(name, onnx, weightFolder, dimensions, Optional.of(form));
    }
}
