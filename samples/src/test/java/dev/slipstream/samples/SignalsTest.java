package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.verify.TinyFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Signals at commands in processes of their own, from when their work begins until it is done. */
@Tag("slow")
class SignalsTest {
    private static final List<String> SIGNALS = List.of("INT", "TERM", "HUP");
    private static final List<Integer> CODES = List.of(130, 143, 129);
    /** What comes after the library, as engines: about as long as so many looks at the process take. */
    private static final int MOST_LOOKS = 400;

    private static final Path MODEL = CommandRun.MODEL.toAbsolutePath();

    @TempDir
    private Path folder;

    static Stream<Arguments> attempts() {
        return Stream.of(Stream.of("generate").flatMap(command -> times(30, command)),
            Stream.of("model init", "run", "verify").flatMap(command -> times(8, command))).flatMap(it -> it);
    }

    private static Stream<Arguments> times(int count, String command) {
        return IntStream.range(0, count).mapToObj(attempt -> Arguments.of(command, attempt));
    }

    private List<String> words(String command) throws IOException {
        Path given = Files.createDirectory(folder.resolve("given"));
        return switch (command) {
            case "generate" -> List.of("generate", "a red star", "--model", MODEL.toString(), "--steps", "20",
                "--quiet", "--output", "result.png");
            case "model init" -> List.of("model", "init", "--like", "sd15", "result.model");
            case "verify" -> List.of("verify", new TinyFolder(given).write().toString());
            default -> {
                Path inputs = given.resolve("inputs.safetensors");
                SafetensorsWriter.write(inputs, Map.of("latent_sample", StoredTensor.of(Shape.of(1, 12, 16, 16),
                    new float[12 * 16 * 16])), Map.of());
                yield List.of("run", MODEL.resolve("vae_decoder").toString(), "--inputs", inputs.toString(),
                    "--output", "result.safetensors");
            }
        };
    }

    private boolean hasBegun(Process process) throws IOException {
        return Files.readString(Path.of("/proc", process.pid() + "", "maps")).contains("libonnxruntime4j")
            || left().stream().anyMatch(name -> name.endsWith(".tmp"));
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("attempts")
    void noSignalAbortsTheProcessOrLeavesAnything(String command, int attempt)
        throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/proc/self/maps")), "what a process has loaded is seen in /proc");
        Path complaints = folder.resolve("complaints.txt");
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1", "-XX:-CreateCoredumpOnCrash", "--enable-native-access=ALL-UNNAMED", "-cp",
            System.getProperty("java.class.path"), Main.class.getName()));
        line.addAll(words(command));
        Process process = new ProcessBuilder(line).directory(folder.toFile())
            .redirectOutput(folder.resolve("out.txt").toFile()).redirectError(complaints.toFile()).start();
        try {
            int looks = new SplittableRandom(attempt).nextInt(MOST_LOOKS);
            while (process.isAlive() && looks > 0) {
                looks -= hasBegun(process) ? 1 : 0;
            }
            new ProcessBuilder("kill", "-" + SIGNALS.get(attempt % SIGNALS.size()), process.pid() + "").start()
                .waitFor();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        } catch (IOException ended) {
            process.waitFor();
        } finally {
            process.destroyForcibly();
        }
        List<String> said = Files.readAllLines(complaints);
        int code = CODES.get(attempt % CODES.size());
        assertTrue(Set.of(0, code).contains(process.exitValue()), process.exitValue() + " " + said);
        assertTrue(process.exitValue() == 0 || said.size() <= 1, said.toString());
        assertTrue(said.stream().allMatch(it -> it.startsWith("slipstream: cancelled")), said.toString());
        assertEquals(List.of(), left().stream().filter(name -> !name.startsWith("result.")
            && !Set.of("given", "complaints.txt", "out.txt").contains(name)).toList());
    }
}
