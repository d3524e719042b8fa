package dev.slipstream.pipelines.file;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Unfinished;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** Makes a folder so that others see all of it or nothing: under a temporary name first, and then renamed. */
public final class AtomicFolder {
    private static final int MOST_ATTEMPTS = 100;

    private AtomicFolder() {
    }

    /** Writes the contents of a folder that exists and is empty. */
    @FunctionalInterface
    public interface Contents {
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Makes {@code folder}, and those above it if necessary. If this fails, nothing is left behind.
     *
     * @param folder is not there yet, or empty
     * @throws IOException in one sentence
     */
    public static void write(Path folder, Contents contents) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        Path temporary = neighbour(target);
        try {
            Files.createDirectories(target.getParent());
            sweep(target);
            KeyLock writing = KeyLock.acquire(temporary);
            try (Unfinished _ = new Unfinished(() -> delete(temporary, writing))) {
                Files.createDirectory(temporary);
                contents.writeTo(temporary);
                // An empty folder in the way is replaced, a full one is not.
                Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new IOException("cannot write " + target + ": " + FileFailure.reason(e), e);
        }
    }

    private static void delete(Path temporary, KeyLock writing) throws IOException {
        try (writing) {
            deleteAll(temporary);
        }
    }

    /** Deletes what killed processes have left of a folder: their locks are free. */
    private static void sweep(Path target) throws IOException {
        List<Path> rests;
        try (Stream<Path> entries = Files.list(target.getParent())) {
            rests = entries.filter(entry -> AtomicFile.targetOf(entry).equals(Optional.of(target))).toList();
        }
        for (Path rest : rests) {
            Optional<KeyLock> dead = KeyLock.tryAcquire(rest);
            if (dead.isPresent()) {
                delete(rest, dead.get());
            }
        }
    }

    /**
     * Deletes a folder with its contents, so that others see all of it or nothing; or what a killed process has left.
     */
    public static void delete(Path folder) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        if (AtomicFile.targetOf(target).isPresent() || Files.notExists(target)) {
            deleteAll(target);
        } else {
            deleteAll(Files.move(target, neighbour(target)));
        }
    }

    private static Path neighbour(Path target) {
        return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    }

    private static void deleteAll(Path folder) throws IOException {
        for (int attempt = 1; !Files.notExists(folder, LinkOption.NOFOLLOW_LINKS); attempt++) {
            List<Path> files;
            try (Stream<Path> walk = Files.walk(folder)) {
                files = walk.sorted(Comparator.reverseOrder()).toList();
            }
            try {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            } catch (DirectoryNotEmptyException written) {
                // While the process ends, a thread may still write, until its folder is gone.
                if (attempt == MOST_ATTEMPTS) {
                    throw written;
                }
            }
        }
    }
}
