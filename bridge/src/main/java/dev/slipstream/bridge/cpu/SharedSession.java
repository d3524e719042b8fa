package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A session that several engines may have: a session may run on any number of threads at once, and where a device has
 * one thread, the session has none of its own. It is closed with the last engine. Any thread may use it.
 */
final class SharedSession {
    /** Those that may be shared, by what they were made from. One a process, so that pipelines share them, too. */
    private static final Map<String, SharedSession> OPEN = new ConcurrentHashMap<>();

    private final String id;
    private final Optional<Path> weights;
    private final OrtSession session;
    /** Changed inside of {@link #OPEN}'s computations only, where others may see it. */
    private int users = 1;

    private SharedSession(String id, Optional<Path> weights, OrtSession session) {
        this.id = id;
        this.weights = weights;
        this.session = session;
    }

    /** Makes a session. */
    @FunctionalInterface
    interface Opening {
        OrtSession open() throws OrtException;
    }

    /** One that is not shared and maps nothing. */
    static SharedSession alone(OrtSession session) {
        return new SharedSession("", Optional.empty(), session);
    }

    /**
     * One that maps weights.
     *
     * @param id of all that it is made from
     */
    static SharedSession open(String id, boolean shared, Path weights, Opening opening) throws OrtException {
        if (!shared) {
            return new SharedSession("", Optional.of(weights), opening.open());
        }
        OrtException[] refused = new OrtException[1];
        SharedSession session = OPEN.compute(id, (key, open) -> {
            if (open != null) {
                open.users++;
                return open;
            }
            try {
                return new SharedSession(id, Optional.of(weights), opening.open());
            } catch (OrtException failure) {
                refused[0] = failure;
                return null;
            }
        });
        if (session == null) {
            throw refused[0];
        }
        return session;
    }

    OrtSession session() {
        return session;
    }

    /** An engine has it no longer. */
    void release() throws OrtException {
        boolean[] last = {id.isEmpty()};
        OPEN.computeIfPresent(id, (key, open) -> {
            last[0] = --open.users == 0;
            return last[0] ? null : open;
        });
        if (last[0]) {
            session.close();
        }
    }

    /** Whether its weights are mapped, so that they, too, are there after pages were let go. */
    boolean mapsWeights() {
        return weights.isPresent();
    }

    /** Lets go of the pages of the weights, which the next run reads again from the system's cache of files. */
    void rest() {
        weights.ifPresent(MappedPages::letGo);
    }

    /** Mappings of a file, as Linux lists them. */
    private static final class MappedPages {
        private static final Path MAPS = Path.of("/proc/self/smaps");
        private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) .{4} .*");
        private static final int DONT_NEED = 4;
        /** {@code int madvise(void *address, size_t length, int advice)}; empty where it is not Linux. */
        private static final Optional<MethodHandle> ADVISE = Files.isReadable(MAPS)
            ? Linker.nativeLinker().defaultLookup().find("madvise").map(function -> Linker.nativeLinker()
                .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT)))
            : Optional.empty();

        private MappedPages() {
        }

        static void letGo(Path file) {
            if (ADVISE.isEmpty()) {
                return;
            }
            try (Stream<String> lines = Files.lines(MAPS)) {
                String name = " " + file.toRealPath();
                Matcher range = null;
                for (String line : (Iterable<String>) lines::iterator) {
                    if (line.endsWith(name)) {
                        range = RANGE.matcher(line);
                    } else if (range != null && line.startsWith("Anonymous:")) {
                        // ONNX Runtime may write to its mappings, and does not; else what it wrote would be lost.
                        if (line.matches("Anonymous: +0 kB") && range.matches()) {
                            letGo(Long.parseUnsignedLong(range.group(1), 16),
                                Long.parseUnsignedLong(range.group(2), 16));
                        }
                        range = null;
                    }
                }
            } catch (IOException | UncheckedIOException gone) {
                // They stay where they are.
            }
        }

        private static void letGo(long begin, long end) {
            try {
                int _ = (int) ADVISE.orElseThrow().invokeExact(MemorySegment.ofAddress(begin), end - begin, DONT_NEED);
            } catch (Throwable impossible) {
                throw new IllegalStateException("madvise cannot be called: " + impossible, impossible);
            }
        }
    }
}
