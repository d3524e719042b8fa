package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Signals at the command in a process of its own, from when ONNX Runtime is loaded until the picture is there. */
class SignalsTest {
    private static final int AIMED = 50;
    private static final List<String> SIGNALS = List.of("INT", "TERM", "HUP");
    private static final List<Integer> CODES = List.of(130, 143, 129);

    @TempDir
    private Path folder;

    static IntStream attempts() {
        return IntStream.range(0, AIMED);
    }

    @ParameterizedTest
    @MethodSource("attempts")
    @Tag("slow")
    void noSignalAbortsTheProcess(int attempt) throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/proc/self/maps")), "what a process has loaded is seen in /proc");
        Path complaints = folder.resolve("complaints.txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1", "-XX:-CreateCoredumpOnCrash", "--enable-native-access=ALL-UNNAMED", "-cp",
            System.getProperty("java.class.path"), Main.class.getName(), "generate", "a red star", "--model",
            CommandRun.MODEL.toAbsolutePath().toString(), "--steps", "20", "--output", "picture.png")
            .directory(folder.toFile()).redirectErrorStream(true).redirectOutput(complaints.toFile()).start();
        String signal = SIGNALS.get(attempt % SIGNALS.size());
        try {
            // What comes after the library: engines, about as long as a few hundred looks at the process take.
            int looks = new SplittableRandom(attempt).nextInt(400);
            while (process.isAlive() && looks > 0) {
                looks -= Files.readString(Path.of("/proc", process.pid() + "", "maps")).contains("libonnxruntime4j")
                    ? 1 : 0;
            }
            new ProcessBuilder("kill", "-" + signal, process.pid() + "").start().waitFor();
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
        try (Stream<Path> files = Files.list(folder)) {
            List<String> left = files.map(file -> file.getFileName().toString())
                .filter(name -> !name.equals("picture.png") && !name.equals("complaints.txt")).toList();
            assertEquals(List.of(), left, signal);
        }
    }
}
