package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Flow;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

/** The rules of the Trace Event Format that viewers hold files to. */
class ChromeTraceTest {
    private record Slice(double from, double to) {
        boolean holds(double time) {
            return from <= time && time <= to;
        }
    }

    private static List<JsonObject> events(Map<String, Timeline> runs) throws MalformedJsonException {
        JsonObject trace = JsonText.parse(TimelineFormat.CHROME_TRACE.text(runs)).getAsJsonObject();
        return trace.getAsJsonArray("traceEvents").asList().stream().map(JsonElement::getAsJsonObject).toList();
    }

    private static List<JsonObject> events(String phase, List<JsonObject> events) {
        return events.stream().filter(event -> event.get("ph").getAsString().equals(phase)).toList();
    }

    private static String thread(JsonObject event) {
        return event.get("pid").getAsInt() + "/" + event.get("tid").getAsInt();
    }

    private static double time(JsonObject event) {
        return event.get("ts").getAsDouble();
    }

    private static Map<String, List<Slice>> slices(List<JsonObject> events) {
        Map<String, List<Slice>> slices = new HashMap<>();
        events("X", events).forEach(event -> slices.computeIfAbsent(thread(event), key -> new ArrayList<>())
            .add(new Slice(time(event), time(event) + event.get("dur").getAsDouble())));
        return slices;
    }

    @Test
    void simulatedRunsFollowTheRules() throws MalformedJsonException {
        TraceRules.check(TimelineFormat.CHROME_TRACE.text(Runs.documented()));
        TraceRules.check(TimelineFormat.CHROME_TRACE.text(Map.of("", Runs.of("asyncdiff:n=3,warmup=1", 3, 6, false))));
        TraceRules.check(TimelineFormat.CHROME_TRACE.text(Map.of()));
    }

    /** Whatever spans are called, and however short they are, also beside the loop. */
    @Property(tries = 100)
    void anyTimelineFollowsTheRules(@ForAll long seed, @ForAll @StringLength(min = 1, max = 8) String name)
        throws MalformedJsonException {
        Random random = new Random(seed);
        List<Lane> lanes = List.of(new Lane(0, name, false), new Lane(0, name, true), new Lane(1, "b", false));
        List<Span> spans = new ArrayList<>();
        List<Flow> flows = new ArrayList<>();
        long time = 0;
        for (int i = 0; i < 30; i++) {
            long start = time + random.nextInt(3) * random.nextInt(1_000_000);
            time = start + random.nextInt(2) * random.nextInt(1_000_000);
            Activity activity = switch (random.nextInt(4)) {
                case 0 -> new Activity.Stage(0);
                case 1 -> new Activity.Copy(random.nextInt(2), 1, 77);
                case 2 -> new Activity.Arithmetic(name);
                default -> new Activity.Wait();
            };
            spans.add(new Span(i, random.nextInt(3), random.nextInt(9), activity, start, time, time - start));
            if (i > 0 && spans.get(i - 1).lane() != spans.get(i).lane()) {
                flows.add(new Flow(i - 1, i));
            }
        }
        Timeline timeline = new Timeline(lanes, List.of(name), time, spans, flows)
            .with(random.nextInt(2), name, random.nextLong(time + 1), random.nextLong(time + 1));
        TraceRules.check(TimelineFormat.CHROME_TRACE.text(Map.of(name, timeline)));
    }

    @Test
    void tracesThatBreakARuleAreFound() {
        String good = TimelineFormat.CHROME_TRACE.text(Runs.documented());
        Map.of("\"ph\":\"X\"", "\"ph\":\"Y\"", "thread_name", "thread_title", "\"dur\":", "\"duration\":",
            "\"bp\":\"e\"", "\"bp\":\"x\"", "\"tid\":1,\"args\"", "\"tid\":9,\"args\"", "\"id\":0,", "\"id\":1,")
            .forEach((part, other) -> {
                assertTrue(good.contains(part), part);
                assertThrows(AssertionError.class, () -> TraceRules.check(good.replace(part, other)), other);
            });
        Timeline cut = new Timeline(List.of(new Lane(0, "a", false)), List.of("a"), 15, List.of(
            new Span(0, 0, 0, new Activity.Stage(0), 0, 10, 10), new Span(1, 0, 0, new Activity.Stage(0), 5, 15, 10)),
            List.of());
        assertThrows(AssertionError.class, () -> TraceRules.check(TimelineFormat.CHROME_TRACE.text(Map.of("", cut))));
    }

    @Test
    void whatRunsBesideALoopHasAThreadOfItsOwnAndNoStep() throws MalformedJsonException {
        Timeline both = Runs.of("sequential", 1, 2, false).with(0, "decode", 1_000_000, 5_000_000);
        List<JsonObject> events = events(Map.of("", both));

        JsonObject decode = events("X", events).getLast();
        assertEquals("decode", decode.get("name").getAsString());
        assertEquals("other", decode.get("cat").getAsString());
        assertEquals(Set.of("busy_us"), decode.getAsJsonObject("args").keySet());
        assertTrue(events("M", events).stream().anyMatch(it -> thread(it).equals(thread(decode))
            && it.getAsJsonObject("args").get("name").getAsString().equals("other requests")));
    }

    @Test
    void everyFlowGoesForwardFromSliceToSlice() throws MalformedJsonException {
        List<JsonObject> events = events(Runs.documented());
        Map<String, List<Slice>> slices = slices(events);
        Map<Integer, JsonObject> starts = new HashMap<>();
        events("s", events).forEach(event -> assertEquals(null, starts.put(event.get("id").getAsInt(), event)));
        Set<Integer> ended = new HashSet<>();

        for (JsonObject end : events("f", events)) {
            JsonObject start = starts.get(end.get("id").getAsInt());
            assertEquals("e", end.get("bp").getAsString());
            assertEquals(start.get("name"), end.get("name"));
            assertEquals(start.get("cat"), end.get("cat"));
            assertTrue(time(start) <= time(end), end::toString);
            assertTrue(slices.get(thread(start)).stream().anyMatch(it -> it.holds(time(start))), start::toString);
            assertTrue(slices.get(thread(end)).stream().anyMatch(it -> it.holds(time(end))), end::toString);
            assertFalse(thread(start).equals(thread(end)));
            assertTrue(ended.add(end.get("id").getAsInt()));
        }
        assertEquals(starts.keySet(), ended);
        assertFalse(ended.isEmpty());
    }

    @Test
    void devicesAreProcessesAndTheirLanesThreads() throws MalformedJsonException {
        List<String> names = events("M", events(Runs.documented())).stream()
            .map(it -> thread(it) + " " + it.getAsJsonObject("args").get("name").getAsString()).toList();

        assertEquals(List.of("1/1 sequential: device 0 (cuda:0)", "1/1 compute", "1/2 copies",
            "2/1 asyncdiff:n=3,warmup=2: device 0 (cuda:0)", "3/1 asyncdiff:n=3,warmup=2: device 1 (cuda:1)",
            "4/1 asyncdiff:n=3,warmup=2: device 2 (cuda:2)", "2/1 compute", "3/2 compute", "4/3 compute", "2/4 copies",
            "3/5 copies", "4/6 copies"), names);
    }

    @Test
    void sliceSaysItsStepItsBytesAndItsMicroseconds() throws MalformedJsonException {
        Timeline timeline = new Timeline(List.of(new Timeline.Lane(0, "\"quoted\"", false)), List.of("<mid> é\n"), 9,
            List.of(new Timeline.Span(0, 0, 2, new Activity.Stage(0), 1500, 4000, 1250),
                new Timeline.Span(1, 0, 3, new Activity.Copy(0, 1, 77), 4000, 5000, 1000)), List.of());

        List<JsonObject> slices = events("X", events(Map.of("", timeline)));

        assertEquals("<mid> é\n", slices.getFirst().get("name").getAsString());
        assertEquals(1.5, time(slices.getFirst()));
        assertEquals(2.5, slices.getFirst().get("dur").getAsDouble());
        assertEquals(3, slices.getFirst().getAsJsonObject("args").get("step").getAsInt());
        assertEquals(1.25, slices.getFirst().getAsJsonObject("args").get("busy_us").getAsDouble());
        assertEquals("copy to device 1", slices.getLast().get("name").getAsString());
        assertEquals(77, slices.getLast().getAsJsonObject("args").get("bytes").getAsInt());
    }
}
