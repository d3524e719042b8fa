package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.bridge.store.EngineKey;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.bridge.store.MappedEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Engines with large weights, kept in a store. What is kept is ONNX Runtime's optimised graph, and beside it a file of
 * all weights in the type and the layout in which they are computed with, packed ones included. Sessions map that file,
 * so a second start neither converts nor packs them, and sessions of all processes share the memory.
 *
 * <p>Packed weights are there as they were, too, as ONNX Runtime packs them once more to find out that they are right;
 * it gives that up at once. An engine is built in two steps that never hold a weight twice: halves are written out as
 * float32 ({@link EngineSource.Wide}), then ONNX Runtime reads these, and writes its own form. Any thread may use it.
 *
 * @param worthBytes from how many bytes of weight files on an engine is kept: others are built in no time
 */
record KeptEngines(EngineStore store, long worthBytes) {
    /** What a build takes of the disk for each byte of its weight files: these packed and unpacked. */
    private static final int GROWTH = 2;
    /** The same where halves are written as float32 before. */
    private static final int GROWTH_OF_HALVES = 5;
    /** Graphs that are larger have weights inside, and would be read as a whole for their digest. */
    private static final int MOST_GRAPH_BYTES = 8 << 20;
    /** To be raised when what is kept changes its form. */
    private static final String FORM = "optimised, packed, 1";
    private static final Logger LOG = LoggerFactory.getLogger(KeptEngines.class);

    /** How a session is made from a graph. */
    interface Opening {
        /** @param options are closed afterwards */
        OrtSession open(EngineSource source, SessionOptions options) throws OrtException;

        SessionOptions options(EngineSource source) throws OrtException;
    }

    /** In the user's store. */
    static KeptEngines ofUser() {
        return new KeptEngines(EngineStore.ofUser(), EngineStore.WORTH_BYTES_OF_CPU);
    }

    /**
     * Opens the engine, which is built if it is not there.
     *
     * @param shared whether a session may serve more than one device
     * @return empty if it is not worth to be kept, or cannot be
     */
    Optional<SharedSession> open(EngineSource source, boolean shared, Opening opening) throws OrtException {
        if (source.onnx().remaining() > MOST_GRAPH_BYTES || source.weightFolder().isEmpty()
            || isBelow(worthBytes, source.weightFolder().get()) || weightBytes(source) < worthBytes) {
            return Optional.empty();
        }
        EngineKey key = store.quickKey(source, Map.of(
            EngineKey.COMPILER, "ONNX Runtime " + OnnxRuntime.environment().getVersion(),
            EngineKey.PROCESSOR, Processor.OF_MACHINE.name(), EngineKey.ARCHITECTURE, Processor.OF_MACHINE.features(),
            EngineKey.OPTIONS, FORM));
        for (int attempt = 0; attempt < 2; attempt++) {
            try (Arena arena = Arena.ofShared()) {
                Optional<MappedEngine> kept =
                    store.getOrBuild(key, arena, weights -> build(source, weights, arena, opening));
                if (kept.isEmpty()) {
                    return Optional.empty();
                }
                try {
                    return Optional.of(SharedSession.open(key.id(), shared, kept.get().weights(),
                        () -> open(source, kept.get(), opening)));
                } catch (OrtException refused) {
                    // Maybe another process has just made room and deleted the weights.
                    store.discard(key, "ONNX Runtime refuses it: " + OnnxRuntime.reason(refused));
                }
            }
        }
        return Optional.empty();
    }

    /** Whether all files of a folder together are too small, which is seen before the graph is looked through. */
    private static boolean isBelow(long worthBytes, Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            long left = worthBytes;
            for (Path entry : (Iterable<Path>) entries::iterator) {
                left -= Files.isDirectory(entry) ? worthBytes : Files.size(entry);
            }
            return left > 0;
        } catch (IOException | UncheckedIOException unreadable) {
            return true;
        }
    }

    private static long weightBytes(EngineSource source) {
        try {
            long bytes = 0;
            for (Path file : EngineKey.weightFiles(source)) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException unreadable) {
            // The engine's own complaint is better.
            return 0;
        }
    }

    private OrtSession open(EngineSource source, MappedEngine kept, Opening opening) throws OrtException {
        EngineSource optimised = new EngineSource(source.name(), kept.engine().asByteBuffer(),
            Optional.of(kept.weights().getParent()), Map.of());
        try (SessionOptions options = opening.options(optimised)) {
            options.setOptimizationLevel(SessionOptions.OptLevel.NO_OPT);
            // Between runs, memory for one pattern would stand beside the memory of the run that found it out.
            options.setMemoryPatternOptimization(false);
            return opening.open(optimised, options);
        }
    }

    /** Lets ONNX Runtime write what it makes of a graph. */
    private MemorySegment build(EngineSource source, Path weights, Arena arena, Opening opening) throws IOException {
        Path folder = weights.getParent();
        requireRoom(source, folder.getParent(), Files.getFileStore(folder).getUsableSpace());
        LOG.debug("engine {} is built to be kept", source.name());
        Path graph = folder.resolve("optimised.onnx");
        try {
            EngineSource wide = source.wide().map(form -> form.into(folder)).orElse(source);
            try (SessionOptions options = opening.options(wide)) {
                options.setOptimizedModelFilePath(graph.toString());
                options.addConfigEntry("session.optimized_model_external_initializers_file_name",
                    weights.getFileName().toString());
                options.addConfigEntry("session.save_external_prepacked_constant_initializers", "1");
                opening.open(wide, options).close();
            }
        } catch (UncheckedIOException failed) {
            throw failed.getCause();
        } catch (OrtException failed) {
            throw new IOException("ONNX Runtime: " + OnnxRuntime.reason(failed), failed);
        }
        byte[] written = Files.readAllBytes(graph);
        return arena.allocate(written.length).copyFrom(MemorySegment.ofArray(written));
    }

    /** @param free bytes in the folder */
    static void requireRoom(EngineSource source, Path folder, long free) throws IOException {
        long needed = (source.wide().isPresent() ? GROWTH_OF_HALVES : GROWTH) * weightBytes(source);
        if (free < needed) {
            throw new IOException("up to " + needed + " bytes are needed in " + folder + ", and " + free
                + " are free");
        }
    }

    /**
     * What ONNX Runtime chooses its kernels by, and so the layout of weights.
     *
     * @param features the instructions that it has, as a digest where the system lists them
     */
    private record Processor(String name, String features) {
        private static final Processor OF_MACHINE = ofMachine(Path.of("/proc/cpuinfo"));

        private static Processor ofMachine(Path linux) {
            String architecture = System.getProperty("os.arch");
            try {
                String[] lines = Files.readString(linux).split("\n");
                return new Processor(value(lines, "model name|CPU part").orElse(architecture), architecture
                    + value(lines, "flags|Features").map(flags -> " " + Sha256.of(flags)).orElse(""));
            } catch (IOException notLinux) {
                return new Processor(Optional.ofNullable(System.getenv("PROCESSOR_IDENTIFIER")).orElse(architecture),
                    architecture);
            }
        }

        private static Optional<String> value(String[] lines, String names) {
            for (String line : lines) {
                if (line.matches("(" + names + ")\\s*:.*")) {
                    return Optional.of(line.substring(line.indexOf(':') + 1).strip()).filter(text -> !text.isEmpty());
                }
            }
            return Optional.empty();
        }
    }
}
