package dev.slipstream.samples.engines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.store.EngineKey;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnginesCommandTest {
    @TempDir
    private Path folder;
    private String property;

    @BeforeEach
    void remember() {
        property = System.getProperty(EngineStore.FOLDER_PROPERTY);
    }

    @AfterEach
    void restore() {
        if (property == null) {
            System.clearProperty(EngineStore.FOLDER_PROPERTY);
        } else {
            System.setProperty(EngineStore.FOLDER_PROPERTY, property);
        }
    }

    private CommandRun engines(String command, String... options) {
        List<String> args = new ArrayList<>(List.of("engines", command, "--store", folder.toString()));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    /** Puts an engine of a megabyte into the store; its ID. */
    private String add(String name) {
        EngineKey key = new EngineKey(name, Map.of(EngineKey.COMPILER, "TensorRT 10.15.1", EngineKey.GPU,
            "NVIDIA H200", "graph", name));
        try (Arena arena = Arena.ofConfined()) {
            new EngineStore(folder, 1 << 30).getOrBuild(key, arena, () -> arena.allocate(1_000_000));
        }
        return key.id();
    }

    private List<String> ids() {
        return new EngineStore(folder, 0).list().stream().map(engine -> engine.id()).toList();
    }

    @Test
    void enginesAreListedWithWhatTheyAreBoundToAndTheirTotal() {
        String id = add("unet/up");
        add("unet/down");
        CommandRun run = engines("list");
        assertEquals(ExitCode.OK, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.get(0).matches("id +engine +compiler +for +size +last used"), run.out());
        assertTrue(lines.get(2).matches(id.substring(0, 12)
            + " +unet/up +TensorRT 10.15.1 +NVIDIA H200 +1.0 MB +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d"), run.out());
        assertEquals("2 engines, 2.0 MB of at most 21.5 GB, in " + folder, lines.getLast());
    }

    @Test
    void theListAsJsonHasAllThatEnginesDependOn() {
        String id = add("unet/up");
        CommandRun listed = engines("list", "--json");
        SchemaCheck.assertFits("engines list", listed.out());
        JsonObject list = listed.json();
        assertEquals(20L << 30, list.get("maxBytes").getAsLong());
        JsonObject engine = list.getAsJsonArray("engines").get(0).getAsJsonObject();
        assertEquals(id, engine.get("id").getAsString());
        assertEquals("unet/up", engine.getAsJsonObject("parts").get("graph").getAsString());
        assertEquals(list.get("bytes").getAsLong(), engine.get("bytes").getAsLong());
        assertTrue(Instant.parse(engine.get("lastUsed").getAsString()).isBefore(Instant.now()));
    }

    @Test
    void aStoreThatIsNotThereIsEmptyAndStaysAway() {
        Path absent = folder.resolve("absent");
        CommandRun run = CommandRun.of("engines", "list", "--store", absent.toString());
        assertEquals("0 engines, 0 B of at most 21.5 GB, in " + absent, run.out().strip());
        assertEquals(ExitCode.OK, CommandRun.of("engines", "clear", "--store", absent.toString()).code());
        assertTrue(Files.notExists(absent));
    }

    @Test
    void clearDeletesAllAndSaysWhatItFreed() {
        add("unet/up");
        add("unet/down");
        new EngineStore(folder, 1 << 30).storeTimingCache("Toy", MemorySegment.ofArray(new byte[500_000]));
        CommandRun run = engines("clear");
        assertEquals("2 engines deleted, 2.5 MB freed in " + folder, run.out().strip());
        assertEquals(0, folder.toFile().list().length);
    }

    @Test
    void clearDeletesTheEnginesThatAreNamed() {
        String up = add("unet/up");
        String down = add("unet/down");
        String middle = add("unet/middle");
        CommandRun run = engines("clear", up.substring(0, 12), down);
        assertEquals("2 engines deleted, 2.0 MB freed in " + folder, run.out().strip());
        assertEquals(List.of(middle), ids());
    }

    @Test
    void clearDeletesTheEnginesThatWereNotUsedForLong() throws IOException {
        String old = add("unet/up");
        String used = add("unet/down");
        Files.setLastModifiedTime(folder.resolve(old + ".engine"),
            FileTime.from(Instant.now().minus(Duration.ofDays(31))));
        CommandRun run = engines("clear", "--older-than", "30");
        assertEquals("1 engine deleted, 1.0 MB freed in " + folder, run.out().strip());
        assertEquals(List.of(used), ids());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        list now                       | 'now'
        list --older-than 3            | '--older-than'
        clear 0123                     | no engine in
        clear --older-than soon        | 'soon' is no number
        clear --older-than -1          | days from 0 to 36500, not -1
        clear --older-than NaN         | not NaN
        clear --older-than 3 0123      | leave out either
        build                          | 'DIR'
        build DIR --devices            | '--devices'
        build nowhere                  | nowhere
        build nowhere --devices 0      | 1 to 256 devices
        """)
    void aWrongCallIsRefusedInOneLineAndDeletesNothing(String call, String words) {
        String id = add("unet/up");
        String[] args = call.split(" ");
        CommandRun run = engines(args[0], Arrays.copyOfRange(args, 1, args.length));
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertEquals("", run.out());
        assertEquals(1, run.complaints().size(), run.err());
        assertTrue(run.err().startsWith("slipstream: ") && run.err().contains("; "), run.err());
        assertTrue(run.err().contains(words), run.err());
        assertEquals(List.of(id), ids());
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "clear", "build model"})
    void aFileIsNoStore(String call) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        List<String> args = new ArrayList<>(List.of("engines"));
        args.addAll(List.of(call.split(" ")));
        args.addAll(List.of("--store", file.toString()));
        CommandRun run = CommandRun.of(args.toArray(String[]::new));
        assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
        assertTrue(run.err().contains("there is no engine store at " + file + ", which is a file; give"), run.err());
        assertEquals("mine", Files.readString(file));
    }

    @Test
    void anIdThatIsWrongKeepsTheOthers() {
        String id = add("unet/up");
        assertEquals(ExitCode.WRONG_USAGE, engines("clear", id, "ffffffffffffffffffff").code());
        assertEquals(List.of(id), ids());
    }

    @Test
    void withoutACommandOneIsAskedFor() {
        CommandRun run = CommandRun.of("engines");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals(1, run.complaints().size(), run.err());
        CommandRun unknown = CommandRun.of("engines", "lost");
        assertEquals(ExitCode.WRONG_USAGE, unknown.code());
        assertEquals(1, unknown.complaints().size(), unknown.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "build", "clear"})
    void eachCommandHasHelp(String command) {
        CommandRun run = CommandRun.of("engines", command, "--help");
        assertEquals(ExitCode.OK, run.code());
        assertTrue(run.out().startsWith("Usage: slipstream engines " + command), run.out());
        assertTrue(run.out().contains("--store=DIR") && run.out().contains("130   cancelled"), run.out());
        assertTrue(run.out().lines().allMatch(line -> line.length() <= 80), run.out());
    }

    @ParameterizedTest
    @CsvSource({"sequential,1", "'asyncdiff:warmup=3,cut=contiguous',2"})
    void cpuEnginesAreBuiltAndSaidNotToBeStored(String plan, String devices) {
        CommandRun run = engines("build", CommandRun.MODEL.toString(), "--plan", plan, "--devices", devices);
        assertEquals(ExitCode.OK, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().startsWith("all engines of model were ready after "), run.out());
        assertTrue(lines.getFirst().endsWith("; 0 new in " + folder + ", which has 0 engines"), run.out());
        assertEquals("engines of CPU devices with weight files of less than 67.1 MB are made at start and not stored",
            lines.get(1));
        assertEquals(2, lines.size());
    }
}
