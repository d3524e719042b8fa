package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/use.md tells people to copy is what CI builds: the files of samples/examples/draw. */
class UseTest {
    private static final Path EXAMPLE = Path.of("examples", "draw");
    private static final Pattern SNIPPET = Pattern.compile("```(java|xml|kotlin)\n(.*?)```", Pattern.DOTALL);
    private static final Pattern VERSION = Pattern.compile("<artifactId>slipstream</artifactId>\\s*<version>(.*?)<");

    @Test
    void everySnippetStandsInTheExample() throws IOException {
        List<String> snippets = snippets(Path.of("..", "docs", "use.md"));
        List<String> files = files();
        assertFalse(snippets.isEmpty());
        for (String snippet : snippets) {
            assertTrue(files.stream().anyMatch(file -> file.contains(snippet)), () -> "not there:\n" + snippet);
        }
    }

    @Test
    void theExampleIsTheProgramOfTheReadmeInAPackage() throws IOException {
        String program = snippets(Path.of("..", "README.md")).getFirst();
        assertEquals("package org.example.draw;\n\n" + program,
            Files.readString(EXAMPLE.resolve("src/main/java/org/example/draw/Draw.java")));
    }

    @Test
    void theExampleTakesTheVersionThatIsBuilt() throws IOException {
        String version = VERSION.matcher(Files.readString(Path.of("..", "pom.xml"))).results().findFirst()
            .orElseThrow().group(1);
        assertTrue(Files.readString(EXAMPLE.resolve("pom.xml")).contains("<version>" + version + "</version>"));
        assertTrue(Files.readString(EXAMPLE.resolve("build.gradle.kts")).contains("slipstream-bom:" + version + "\""));
    }

    private static List<String> snippets(Path page) throws IOException {
        return SNIPPET.matcher(Files.readString(page)).results().map((MatchResult found) -> found.group(2)).toList();
    }

    private static List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(EXAMPLE)) {
            return all.filter(Files::isRegularFile).filter(file -> !file.toString().contains("target"))
                .filter(file -> file.toString().matches(".*\\.(java|xml|kts)")).map(UseTest::read).toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
