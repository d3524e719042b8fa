package dev.slipstream.samples.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtEnvironment;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.watch.Watch.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What Slipstream and everything that it loads does beside its work: nothing is written, run, connected to or sent but
 * what is listed here.
 */
class SideEffectsTest {
    @TempDir
    private static Path programs;
    private static Optional<Path> program;

    @TempDir
    private Path folder;
    private Path home;
    private Watch watch;

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        program = Watch.compile(programs);
    }

    @BeforeEach
    void makeWatch() throws IOException {
        assumeTrue(program.isPresent(), "Linux, a C compiler and leave to watch processes are needed");
        home = Files.createDirectory(folder.toRealPath().resolve("home"));
        watch = new Watch(program.get(), home);
    }

    /** So the tests below would see what they look for. */
    @Test
    void theWatchSeesWhatOnnxRuntimeDoesByItself() throws Exception {
        Run run = watch.java(OnnxRuntimeAlone.class.getName());
        assertEquals(0, run.code(), run.err());
        String all = String.join("\n", run.actions());
        assertTrue(all.contains("write\t" + home + "/.cache/Microsoft/"), all);
        assertTrue(all.contains("write\t" + home + "/tmp/onnxruntime-java"), all);
    }

    static final class OnnxRuntimeAlone {
        public static void main(String[] arguments) {
            System.out.println(OrtEnvironment.getEnvironment());
        }
    }

    @Test
    void theCommandWritesThePictureAndUnpacksItsLibrariesOnce() throws Exception {
        for (int start = 0; start < 2; start++) {
            Run run = watch.java(Main.class.getName(), "generate", "a red star", "--model",
                CommandRun.MODEL.toAbsolutePath().toString(), "--steps", "2", "--seed", "1", "--output",
                home.resolve("red.png").toString());
            assertEquals(0, run.code(), run.err());
            assertTrue(run.err().lines().allMatch(line -> REPORT.matcher(line).matches()), run.err());
            assertOnly(run, start == 0 ? anyOf(written("red.png"), unpacked(), kept())
                : anyOf(written("red.png"), foldersOfTheCache()));
            assertEquals(List.of("red.png"), watch.files().stream()
                .filter(isUnpacked().or(isKept()).negate()).toList());
        }
    }

    @Test
    void theLibraryWritesNothingButItsNativeLibraries() throws Exception {
        Run run = watch.java(Draw.class.getName(), CommandRun.MODEL.toAbsolutePath().toString());
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        assertOnly(run, unpacked());
        assertEquals(List.of(), watch.files().stream().filter(isUnpacked().negate()).toList());
    }

    static final class Draw {
        public static void main(String[] arguments) {
            try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of(arguments[0])).devices("cpu:1", "cpu:1")
                .plan("asyncdiff:warmup=1").open()) {
                System.out.println(pipeline.submit(ImageRequest.of("a red star").withSteps(2).withSeed(1)).result()
                    .join().image().width());
            }
        }
    }

    /** One after the other in one process, so that they share what they load. */
    @Test
    void theOtherCommandsWriteNothingButTheirResults() throws Exception {
        Path model = home.resolve("model");
        Run run = watch.java(Commands.class.getName(), model.toString());
        assertEquals(0, run.code(), run.out() + run.err());
        assertOnly(run, anyOf(unpacked(), kept(), action("\\w+\t" + Pattern.quote(model.toString()) + "/?.*"),
            // The model appears whole. To make a folder that is there does nothing.
            action("folder\t" + Pattern.quote(home.toString())),
            action("\\w+\t" + Pattern.quote(home.toString()) + "/\\.model[^/]*(/.*)?")));
        assertEquals(List.of(), watch.files().stream()
            .filter(isUnpacked().or(isKept()).or(file -> file.startsWith("model/")).negate()).toList());
    }

    static final class Commands {
        public static void main(String[] arguments) {
            String model = arguments[0];
            for (List<String> command : List.of(List.of("model", "init", "--like", "sd15", "--tiny", model),
                List.of("doctor", "--model", model), List.of("plan", "--model", model), List.of("engines", "list"),
                List.of("generate", "a red star", "--model", model, "--steps", "1", "--plan", "sequential", "--output",
                    model + "/picture.png"))) {
                CommandRun run = CommandRun.of(command.toArray(String[]::new));
                if (run.code() != 0) {
                    System.out.println(command + ": " + run.err());
                    System.exit(1);
                }
            }
        }
    }

    private static final Pattern REPORT = Pattern.compile(
        "slipstream: (getting ready|step \\d of 2, .* s)");

    private void assertOnly(Run run, Predicate<String> allowed) {
        assertEquals(List.of(), run.actions().stream().filter(anyOf(javas(), temporary(), allowed).negate()).toList());
    }

    /** What every Java program does. */
    private static Predicate<String> javas() {
        return anyOf(action("run\t" + Pattern.quote(Watch.javaProgram())), action("write\t/proc/self/coredump_filter"),
            // Who the user is, it asks the system, which may ask a service on this machine.
            action("socket\tlocal"), action("connect\t/var/run/nscd/socket"),
            // Its library for networks looks whether there is IPv6 when it is loaded. It connects to nothing.
            action("socket\tinternet"));
    }

    /** ONNX Runtime makes an empty folder and deletes it. */
    private Predicate<String> temporary() {
        return action("(folder|delete)\t" + Pattern.quote(home.toString()) + "/tmp/onnxruntime-java\\d+");
    }

    /** A file that appears whole. */
    private Predicate<String> written(String name) {
        String neighbour = Pattern.quote(home.toString()) + "/\\." + Pattern.quote(name) + "\\.[-0-9a-f]+\\.tmp";
        return anyOf(action("(write|delete)\t" + neighbour),
            action("move\t" + neighbour + "\t" + Pattern.quote(home.resolve(name).toString())));
    }

    private Predicate<String> unpacked() {
        String cache = Pattern.quote(home.resolve(".cache").toString());
        String folder = cache + "/slipstream/onnxruntime-[-.\\w]+";
        String neighbour = folder + "/\\.lib\\w+\\.so\\.[-0-9a-f]+\\.tmp";
        return anyOf(foldersOfTheCache(), action("(write|delete)\t(" + folder + "\\.lock|" + neighbour + ")"),
            action("move\t" + neighbour + "\t" + folder + "/lib\\w+\\.so"));
    }

    /** A plan that was chosen. */
    private Predicate<String> kept() {
        String folder = Pattern.quote(home.resolve(".cache").toString()) + "/slipstream/engines/plans";
        return anyOf(action("folder\t" + folder.replace("/plans", "(/plans)?")),
            action("(write|delete)\t" + folder + "/\\.\\w+\\.json\\.[-0-9a-f]+\\.tmp"),
            action("move\t" + folder + "/\\.\\w+\\.json\\.[-0-9a-f]+\\.tmp\t" + folder + "/\\w+\\.json"));
    }

    private static Predicate<String> isKept() {
        return Pattern.compile("\\.cache/slipstream/engines/plans/\\w+\\.json").asMatchPredicate();
    }

    /** To make a folder that is there does nothing. */
    private Predicate<String> foldersOfTheCache() {
        return action("folder\t" + Pattern.quote(home.resolve(".cache").toString())
            + "(/slipstream(/onnxruntime-[-.\\w]+)?)?");
    }

    private static Predicate<String> isUnpacked() {
        return Pattern.compile("\\.cache/slipstream/onnxruntime-[-.\\w]+/lib\\w+\\.so").asMatchPredicate();
    }

    private static Predicate<String> action(String pattern) {
        return Pattern.compile(pattern).asMatchPredicate();
    }

    @SafeVarargs
    private static Predicate<String> anyOf(Predicate<String>... choices) {
        return action -> Stream.of(choices).anyMatch(choice -> choice.test(action));
    }
}
