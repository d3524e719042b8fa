package dev.slipstream.bridge.store;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.file.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that decides what a compiled engine is. Engines with equal parts are interchangeable, whatever they are called.
 *
 * @param name what people call the engine, for example {@code unet/up}; not part of its identity
 * @param parts named facts, in the order of their names: {@code graph} and {@code weights} (digests),
 *     {@code dimension NAME} for each that is fixed, and those of the target
 */
public record EngineKey(String name, Map<String, String> parts) {
    /** Name and version of the compiler, like {@code TensorRT 10.15.1}. Engines are bound to it. */
    public static final String COMPILER = "compiler";
    /** Name of the GPU, for engines of GPUs. Tactics are chosen by measuring on it. */
    public static final String GPU = "gpu";
    /** Name of the processor, for engines of CPUs. */
    public static final String PROCESSOR = "processor";
    /** The GPU's architecture, like {@code sm_90}. */
    public static final String ARCHITECTURE = "architecture";
    /** Settings of the compiler that change what it makes. */
    public static final String OPTIONS = "options";

    private static final String GRAPH = "graph";
    private static final String WEIGHTS = "weights";
    private static final String DIMENSION = "dimension ";

    public EngineKey {
        parts = Collections.unmodifiableMap(new TreeMap<>(parts));
    }

    /**
     * The key of an engine that is built from {@code source}. Reads the graph and all weight files that it mentions;
     * {@link EngineStore#key} remembers the digests of the large ones. Precision and inline weights are in the graph.
     * The driver's version is left out on purpose, as engines do not depend on it.
     *
     * @param target what it is built by and for: at least {@link #COMPILER}, {@link #ARCHITECTURE}, and {@link #GPU} or
     *     {@link #PROCESSOR}
     * @throws IllegalArgumentException if one of these is missing, or {@code target} has a part that the source gives
     * @throws UncheckedIOException if a weight file cannot be read
     */
    public static EngineKey of(EngineSource source, Map<String, String> target) {
        return of(source, target, Sha256::ofFile);
    }

    static EngineKey of(EngineSource source, Map<String, String> target, WeightFiles.FileDigest fileDigest) {
        for (String needed : List.of(COMPILER, target.containsKey(PROCESSOR) ? PROCESSOR : GPU, ARCHITECTURE)) {
            if (target.getOrDefault(needed, "").isBlank()) {
                throw new IllegalArgumentException("the key of engine " + source.name() + " lacks its " + needed);
            }
        }
        Map<String, String> parts = new TreeMap<>();
        parts.put(GRAPH, Sha256.of(source.onnx()));
        source.dimensions().forEach((name, size) -> parts.put(DIMENSION + name, Long.toString(size)));
        try {
            parts.put(WEIGHTS, new WeightFiles(source).digest(fileDigest));
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read the weights of engine " + source.name() + ": "
                + failed.getMessage(), failed);
        }
        target.forEach((name, value) -> {
            if (parts.put(name, value) != null) {
                throw new IllegalArgumentException("'" + name + "' of engine " + source.name()
                    + " comes from its source, not from its target");
            }
        });
        return new EngineKey(source.name(), parts);
    }

    /**
     * The files that may hold weights of a source: those in its folder that its graph names.
     *
     * @throws IOException if the folder cannot be read
     */
    public static Collection<Path> weightFiles(EngineSource source) throws IOException {
        return new WeightFiles(source).files().values();
    }

    /** SHA-256 of the parts, in hexadecimal digits. */
    public String id() {
        return Sha256.of(ByteBuffer.wrap(Label.encoded(parts)));
    }
}
