package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.cpu.FreshJava.Part;
import dev.slipstream.bridge.cpu.FreshJava.Result;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX Runtime writes nothing but its library into the cache, and ends no process, however a program is started. */
class OnnxRuntimeTest {
    private static final String OURS = "OrtEnvironment(name=slipstream,";

    @TempDir
    private Path home;
    private FreshJava java;

    @BeforeEach
    void makeJava() throws IOException {
        java = new FreshJava(home.toRealPath());
    }

    @Test
    void onlyTheLibraryIsLeft() throws Exception {
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertLibraryOnly();
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertLibraryOnly();
    }

    /** On the command line, telemetry searched every word for what might be private, and overflowed the stack. */
    @ParameterizedTest
    @ValueSource(ints = {6_000, 100_000})
    void theCommandLineMayBeLong(int characters) throws Exception {
        assertQuiet(java.run(Map.of(), List.of(), List.of(Part.OPEN_DEVICE.name(), "-" + "a".repeat(characters))));
    }

    @Test
    void anEnvironmentThatTheProgramMakesLaterIsOurs() throws Exception {
        Result result = java.run(Part.OPEN_DEVICE, Part.MAKE_ENVIRONMENT, Part.OPEN_DEVICE);
        assertQuiet(result);
        assertTrue(result.out().contains(OURS), result.out());
        assertLibraryOnly();
    }

    /** Too late to keep telemetry off; so it is said, once. */
    @Test
    void anEnvironmentThatTheProgramMadeBeforeIsUsedWithAWarning() throws Exception {
        Result result = java.run(Part.MAKE_ENVIRONMENT, Part.OPEN_DEVICE, Part.OPEN_DEVICE);
        assertEquals(0, result.code(), result.err());
        assertFalse(result.out().contains(OURS), result.out());
        List<String> warnings = result.err().lines().filter(line -> !line.contains("Telemetry warnIfOn")).toList();
        assertEquals(1, warnings.size(), result.err());
        assertTrue(warnings.getFirst().contains("set ORT_DISABLE_TELEMETRY=1 before Java starts"), result.err());
        assertEquals(2, result.out().lines().filter(line -> line.contains("1 thread of")).count(), result.out());
    }

    @Test
    void whoKeepsTelemetryOffHimselfIsNotWarned() throws Exception {
        assertQuiet(java.run(Map.of("ORT_DISABLE_TELEMETRY", "1"), List.of(),
            List.of(Part.MAKE_ENVIRONMENT.name(), Part.OPEN_DEVICE.name())));
    }

    /** Each class loader needs a file of its own, as with two web applications in one server. */
    @Test
    void severalCopiesMayBeLoadedIntoOneProcess() throws Exception {
        Result result = java.run(Part.OPEN_DEVICES_IN_TWO_CLASS_LOADERS);
        assertQuiet(result);
        assertEquals(2, result.out().lines().count(), result.out());
        assertLibraryOnly();
    }

    @Test
    void whereTheCacheCannotBeUsedATemporaryFolderServesAndIsSwept() throws Exception {
        java.run(Part.OPEN_DEVICE);
        Path folder = library().getParent();
        Files.move(folder, home.resolve("aside"));
        Path inTheWay = Files.createFile(folder);
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertFalse(java.left().stream().anyMatch(name -> name.startsWith("tmp/")), java.left().toString());

        Process killed = java.start(Map.of(), List.of(), List.of(Part.OPEN_DEVICE.name(), Part.WAIT.name()));
        killed.inputReader().readLine();
        assertEquals("ready", killed.inputReader().readLine());
        killed.destroyForcibly().waitFor();
        assertTrue(java.left().stream().anyMatch(name -> name.startsWith("tmp/slipstream-tmp-onnxruntime-")),
            java.left().toString());

        Files.delete(inTheWay);
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertFalse(java.left().stream().anyMatch(name -> name.startsWith("tmp/")), java.left().toString());
    }

    @Test
    void aLibraryOfOtherContentAndEqualLengthIsReplaced() throws Exception {
        java.run(Part.OPEN_DEVICE);
        Path library = library();
        long bytes = Files.size(library);
        Files.write(library, new byte[Math.toIntExact(bytes)]);
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertLibraryOnly();
    }

    @Test
    void twoFirstStartsAtOnceBothWork() throws Exception {
        List<String> parts = List.of(Part.OPEN_DEVICE.name());
        Process first = java.start(Map.of(), List.of(), parts);
        assertQuiet(java.run(Part.OPEN_DEVICE));
        assertEquals(0, first.waitFor());
        assertLibraryOnly();
    }

    /** Small images have no shell and no machine number; telemetry read both, unchecked. */
    @Test
    void neitherAShellNorAMachineNumberIsNeeded() throws Exception {
        assumeTrue(File.separatorChar == '/' && hidesShell(), "this machine lets no user hide files from a process");
        assertQuiet(java.run(Map.of(), HIDE_SHELL, List.of(Part.OPEN_DEVICE.name())));
    }

    /** Nothing is where the shell and the machine number were, for what comes after. */
    private static final List<String> HIDE_SHELL = List.of("unshare", "--user", "--map-root-user", "--mount", "sh",
        "-c", "[ ! -e /etc/machine-id ] || mount --bind /dev/null /etc/machine-id || exit 9; "
            + "mount --bind /dev/null \"$(readlink -f /bin/sh)\" || exit 9; exec \"$@\"", "sh");

    private static boolean hidesShell() throws InterruptedException {
        List<String> command = Stream.concat(HIDE_SHELL.stream(), Stream.of("test", "!", "-x", "/bin/sh")).toList();
        try {
            return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        }
    }

    private Path library() throws IOException {
        try (Stream<Path> all = Files.walk(java.cache())) {
            return all.filter(path -> path.endsWith(System.mapLibraryName("onnxruntime"))).findFirst().orElseThrow();
        }
    }

    private static void assertQuiet(Result result) {
        assertEquals("", result.err());
        assertEquals(0, result.code(), result.out());
    }

    private void assertLibraryOnly() throws IOException {
        String folder = home.toRealPath().relativize(library().getParent()).toString();
        assertEquals(Stream.of("onnxruntime", "onnxruntime4j_jni")
            .map(name -> folder + "/" + System.mapLibraryName(name)).sorted().collect(Collectors.toList()),
            java.left().stream().filter(name -> !name.equals("tmp")).toList());
    }
}
