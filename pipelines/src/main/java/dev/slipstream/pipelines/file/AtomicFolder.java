package dev.slipstream.pipelines.file;

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
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            Files.createDirectories(temporary);
            contents.writeTo(temporary);
            // An empty folder in the way is replaced, a full one is not.
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new IOException("cannot write " + target + ": " + FileFailure.reason(e), e);
        } finally {
            delete(temporary);
        }
    }

    private static void delete(Path folder) throws IOException {
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
