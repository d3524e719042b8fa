package dev.slipstream.pipelines.file;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Makes a folder so that others see all of it or nothing: as a temporary neighbour, which is then given its name. */
public final class AtomicFolder {
    private AtomicFolder() {
    }

    /** What goes into the folder, which is there and empty. */
    @FunctionalInterface
    public interface Contents {
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Makes {@code folder}, and those above it if need be. If this fails, nothing of it is left.
     *
     * @param folder is not there yet, or empty
     * @throws IOException in one sentence
     */
    public static void write(Path folder, Contents contents) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        Path temporary = neighbour(target);
        try {
            Files.createDirectories(temporary);
            contents.writeTo(temporary);
            // An empty folder in the way is replaced, a full one is not.
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IOException("cannot write " + target + ": " + FileFailure.reason(e), e);
        } finally {
            deleteAll(temporary);
        }
    }

    /** Deletes a folder with all that is in it, so that others see all of it or nothing; or what a dead writer left. */
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
        if (Files.notExists(folder)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> walk = Files.walk(folder)) {
            files = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }
}
