package dev.slipstream.bridge;

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
 */
public record EngineSource(String name, ByteBuffer onnx, Optional<Path> weightFolder, Map<String, Long> dimensions) {
    public EngineSource {
        onnx = onnx.asReadOnlyBuffer();
        dimensions = Map.copyOf(dimensions);
    }

    /** A graph that has its weights inside and keeps its open dimensions. */
    public static EngineSource of(String name, byte[] onnx) {
        return new EngineSource(name, ByteBuffer.wrap(onnx), Optional.empty(), Map.of());
    }
}
