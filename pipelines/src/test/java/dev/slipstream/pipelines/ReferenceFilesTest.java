package dev.slipstream.pipelines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class ReferenceFilesTest {
    private static final Pattern OWN_SEARCH =
        Pattern.compile("\"(\\.\\./)*shared[\"/]|\"reference-[a-z]+/|\"reference\"");

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void aTestWithoutItsFilesIsSkippedOrFailsWhereTheyAreRequired() {
        String before = System.setProperty(ReferenceFiles.REQUIRED, "false");
        try {
            assertThrows(TestAbortedException.class, () -> ReferenceFiles.orSkip("reference", "no such model"));
            System.setProperty(ReferenceFiles.REQUIRED, "true");
            AssertionFailedError failure = assertThrows(AssertionFailedError.class,
                () -> ReferenceFiles.orSkip("reference", "no such model"));
            assertTrue(failure.getMessage().contains(Path.of("shared", "reference", "no such model").toString()));
        } finally {
            if (before == null) {
                System.clearProperty(ReferenceFiles.REQUIRED);
            } else {
                System.setProperty(ReferenceFiles.REQUIRED, before);
            }
        }
    }

    @Test
    void noTestLooksForTheFilesInAnotherWay() throws IOException {
        for (String module : List.of("bridge", "pipelines", "samples")) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "test", "java"))) {
                List<Path> others = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("ReferenceFilesTest.java") && !file.endsWith("ReferenceFiles.java"))
                    .filter(ReferenceFilesTest::looksByItself).toList();
                assertEquals(List.of(), others);
            }
        }
    }

    private static boolean looksByItself(Path file) {
        try {
            return Files.readString(file).lines().anyMatch(line -> OWN_SEARCH.matcher(line).find()
                && !line.contains("ReferenceFiles."));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
