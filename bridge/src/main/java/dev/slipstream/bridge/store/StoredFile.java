package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.CheckedFile;
import dev.slipstream.bridge.file.DamagedFileException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A file of a store: a {@link CheckedFile} that is labelled with its key, see {@link Label}. */
final class StoredFile {
    static final int VERSION = 1;

    private static final CheckedFile FORMAT = new CheckedFile(0x0a1a_0a0d_4553_4c89L, VERSION, "a stored engine");

    private StoredFile() {
    }

    /** The length of the whole file. */
    static long size(Label label, long payloadBytes) {
        return CheckedFile.size(label.encoded().length, payloadBytes);
    }

    static void write(FileChannel channel, Label label, MemorySegment payload) throws IOException {
        FORMAT.write(channel, label.encoded(), payload);
    }

    /** What the file says it is; only the beginning is read. */
    static Label label(Path file) throws IOException {
        return Label.decoded(FORMAT.label(file));
    }

    /**
     * Checks all of the file, then maps its payload, read-only.
     *
     * @throws NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not whole or not for this key
     */
    static MemorySegment read(Path file, EngineKey key, Arena arena) throws IOException {
        return FORMAT.map(file, bytes -> {
            EngineKey found = Label.decoded(bytes).key();
            if (!found.parts().equals(key.parts())) {
                throw new DamagedFileException("it is another engine, " + found.name());
            }
        }, arena);
    }
}
