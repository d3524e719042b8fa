package dev.slipstream.samples.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Telemetry is off because one class makes ONNX Runtime's environment, and nobody comes before it. */
class OneEnvironmentTest {
    @Test
    void onlyOneClassMakesTheEnvironment() throws IOException {
        try (Stream<Path> files = Stream.of("bridge", "pipelines", "samples")
            .map(module -> Path.of("..", module, "src", "main", "java")).flatMap(OneEnvironmentTest::walk)) {
            assertEquals(List.of("OnnxRuntime.java"), files.filter(file -> file.toString().endsWith(".java"))
                .filter(OneEnvironmentTest::makesIt).map(file -> file.getFileName().toString()).toList());
        }
    }

    private static Stream<Path> walk(Path folder) {
        try {
            return Files.walk(folder);
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }

    private static boolean makesIt(Path file) {
        try {
            return Files.readString(file).lines().filter(line -> !line.strip().startsWith("*"))
                .anyMatch(line -> line.contains("OrtEnvironment.getEnvironment("));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
