package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** The folders of the reference implementation's own latents, which not every checkout has. */
final class ReferenceFolders {
    private ReferenceFolders() {
    }

    /** A folder in {@code shared/reference} beside this checkout; the test is skipped where there is none. */
    static Path find(String name) {
        Path wanted = Path.of("shared", "reference", name);
        Optional<Path> found = Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
            .map(folder -> folder.resolve(wanted)).filter(Files::isDirectory).findFirst();
        assumeTrue(found.isPresent(), "there is no folder " + wanted + " beside this checkout");
        return found.orElseThrow();
    }
}
