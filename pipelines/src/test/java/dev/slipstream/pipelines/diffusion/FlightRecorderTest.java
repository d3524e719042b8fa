package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What JDK Flight Recorder sees of a request. */
@Timeout(120)
class FlightRecorderTest {
    private static final int STEPS = 6;

    @TempDir
    private Path folder;

    private Map<String, List<RecordedEvent>> recorded(ImageRequest... requests) throws IOException {
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording(); DiffusionPipeline pipeline = DiffusionPipeline
            .of(Path.of("..", "samples", "model")).devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=2")
            .latentCache(folder.resolve("latents"), 1 << 20).open()) {
            recording.enable("dev.slipstream.Stage").withoutThreshold();
            recording.enable("dev.slipstream.Copy").withoutThreshold();
            recording.enable("dev.slipstream.Step").withoutThreshold();
            recording.enable("dev.slipstream.Queue").withoutThreshold();
            recording.enable("dev.slipstream.Wait").withoutThreshold();
            recording.enable("dev.slipstream.Request").withoutThreshold();
            recording.enable("dev.slipstream.EngineBuild").withoutThreshold();
            recording.enable("dev.slipstream.CacheLookup").withoutThreshold();
            recording.start();
            for (ImageRequest request : requests) {
                pipeline.submit(request).result().join();
            }
            pipeline.close();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
            .filter(event -> event.getEventType().getName().startsWith("dev.slipstream."))
            .collect(Collectors.groupingBy(event -> event.getEventType().getName().substring(15)));
    }

    @Test
    void aRequestItsStepsStagesCopiesAndEnginesAreRecorded() throws IOException {
        ImageRequest star = ImageRequest.of("a large red star").withSteps(STEPS).withSeed(7);
        Map<String, List<RecordedEvent>> all = recorded(star);
        RecordedEvent request = all.get("Request").getFirst();
        assertEquals("model", request.getString("model"));
        assertEquals("asyncdiff:warmup=2", request.getString("plan"));
        assertEquals(STEPS, request.getInt("steps"));
        assertEquals("done", request.getString("outcome"));
        assertFalse(request.toString().contains("red star"), "prompts stay private");
        assertEquals(IntStream.rangeClosed(1, STEPS).boxed().toList(),
            all.get("Step").stream().map(event -> event.getInt("step")).toList());
        assertTrue(all.get("Step").stream().allMatch(event -> event.getDuration().isPositive()));
        Map<String, Long> runs = all.get("Stage").stream().collect(Collectors.groupingBy(
            event -> event.getString("engine"), TreeMap::new, Collectors.counting()));
        Set<String> built = all.get("EngineBuild").stream().map(event -> event.getString("engine"))
            .collect(Collectors.toSet());
        assertEquals(built, runs.keySet());
        assertEquals(List.of((long) STEPS, (long) STEPS),
            runs.values().stream().filter(count -> count == STEPS).limit(2).toList(), runs::toString);
        assertEquals(2, all.get("Stage").stream().map(event -> event.getString("device")).distinct().count());
        assertTrue(all.get("Copy").stream().allMatch(event -> event.getLong("bytes") > 0));
        assertEquals(IntStream.rangeClosed(1, STEPS).boxed().toList(),
            all.get("Queue").stream().map(event -> event.getInt("step")).toList());
        assertTrue(all.get("Queue").stream().allMatch(event -> event.getInt("instructions") > 0));
        assertEquals(2, all.get("Wait").stream().map(event -> event.getString("device")).distinct().count());
    }

    @Test
    void aSecondRequestBuildsNothing() throws IOException {
        ImageRequest star = ImageRequest.of("a star").withSteps(1).withSeed(1);
        Map<String, List<RecordedEvent>> all = recorded(star, star.withSeed(2));
        assertEquals(2, all.get("Request").size());
        assertEquals(recorded(star).get("EngineBuild").size(), all.get("EngineBuild").size());
    }

    @Test
    void whatTheCacheOfLatentsSaysIsRecorded() throws IOException {
        ImageRequest star = ImageRequest.of("a star").withSteps(1).withSeed(1);
        List<RecordedEvent> lookups = recorded(star, star.withCache(CacheUse.READ)).get("CacheLookup");
        assertEquals(1, lookups.size());
        assertFalse(lookups.getFirst().getBoolean("hit"));
        assertEquals("NOT_MEASURED", lookups.getFirst().getString("reason"));
        assertTrue(lookups.getFirst().getDuration().isPositive());
    }

    /** A plain name would be refused, as the JDK's configurations do not know these events. */
    @Test
    void theDocumentedConfigurationIsOneAndNamesEventsThatThereAre() throws IOException, InterruptedException {
        String line = Files.readAllLines(Path.of("..", "docs", "observe.md")).stream()
            .filter(it -> it.strip().startsWith("jfr configure")).findFirst().orElseThrow().strip();
        List<String> command = new ArrayList<>(List.of(line.split(" ")));
        Path settings = folder.resolve(command.getLast());
        command.set(0, Path.of(System.getProperty("java.home"), "bin", "jfr").toString());
        command.set(command.size() - 1, settings.toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(folder.resolve("jfr.txt").toFile()).start();
        assertEquals(0, process.waitFor(), () -> command.toString());
        String written = Files.readString(settings);
        List<String> names = Pattern.compile("\\+dev\\.slipstream\\.(\\w+)").matcher(line).results()
            .map(match -> match.group(1)).toList();
        assertTrue(recorded(ImageRequest.of("a star").withSteps(2).withSeed(1)).keySet().containsAll(names),
            names::toString);
        for (String name : names) {
            assertTrue(written.contains("\"dev.slipstream." + name + "\""), written);
        }
    }

    /** Its JDK sets much up for the first class of events, in every process that draws. */
    @Test
    void withoutARecordingNoClassOfEventsIsTouched() throws IOException, InterruptedException {
        Path classes = folder.resolve("classes.txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-Xlog:class+init=info:file=" + classes, "-cp",
            System.getProperty("java.class.path"), FlightRecorderTest.class.getName()).inheritIO().start();
        assertEquals(0, process.waitFor());
        List<String> set = Files.readAllLines(classes).stream().filter(line -> line.contains("jdk.jfr.internal")
            || line.contains("jdk/jfr/internal")).toList();
        assertEquals(List.of(), set);
        assertTrue(Files.size(classes) > 0);
    }

    /** Draws a picture. */
    public static void main(String[] args) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of("..", "samples", "model"))
            .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=2").open()) {
            pipeline.submit(ImageRequest.of("a star").withSteps(3).withSeed(1)).result().join();
        }
    }
}
