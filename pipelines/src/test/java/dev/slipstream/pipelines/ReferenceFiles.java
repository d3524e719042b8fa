package dev.slipstream.pipelines;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the published implementations give: files in a folder {@code shared} beside the repository, which not everybody
 * has. A test that needs one is skipped where it is absent, or fails if the system property {@value #REQUIRED} is
 * {@code true}.
 */
public final class ReferenceFiles {
    /** Says that the files must be here. */
    public static final String REQUIRED = "require.references";

    private ReferenceFiles() {
    }

    /** A file or folder below {@code shared}; the calling test is skipped where there is none. */
    public static Path orSkip(String first, String... more) {
        Optional<Path> found = find(Path.of(first, more));
        if (found.isEmpty()) {
            String missing = "there is no " + Path.of("shared", first).resolve(Path.of("", more))
                + " beside the repository";
            if (Boolean.getBoolean(REQUIRED)) {
                fail(missing);
            }
            abort(missing);
        }
        return found.orElseThrow();
    }

    /** A file or folder below {@code shared}, for tests that say less without it. */
    public static Optional<Path> find(Path wanted) {
        return above(Path.of("shared").resolve(wanted));
    }

    /** A file or folder below the working folder or one that it lies in. */
    public static Optional<Path> above(Path wanted) {
        return Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
            .map(parent -> parent.resolve(wanted)).filter(Files::exists).findFirst();
    }
}
