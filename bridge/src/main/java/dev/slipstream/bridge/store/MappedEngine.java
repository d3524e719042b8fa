package dev.slipstream.bridge.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * An engine in a store that lies in two files.
 *
 * @param engine its bytes, read-only
 * @param weights the file of its weights, which its runtime maps: it is whole, and nobody writes it any more
 */
public record MappedEngine(MemorySegment engine, Path weights) {
    /** Makes such an engine. */
    @FunctionalInterface
    public interface Build {
        /**
         * @param weights the file to write, of the name that it keeps. Its folder is empty, and deleted afterwards.
         * @return the rest of the engine
         */
        MemorySegment into(Path weights) throws IOException;
    }
}
