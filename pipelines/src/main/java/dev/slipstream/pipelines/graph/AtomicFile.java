package dev.slipstream.pipelines.graph;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file that is written under another name and takes its place on {@link #commit}: readers see the old file or the
 * whole new one. Closing without commit leaves the old one.
 */
final class AtomicFile implements AutoCloseable {
    private final Path target;
    private final Path temporary;

    private AtomicFile(Path target, Path temporary) {
        this.target = target;
        this.temporary = temporary;
    }

    static AtomicFile replacing(Path target) {
        return new AtomicFile(target, target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID()));
    }

    OutputStream open() throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE), 1 << 16);
    }

    Path temporary() {
        return temporary;
    }

    void commit() throws IOException {
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException notHere) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(temporary);
    }
}
