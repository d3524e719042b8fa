package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.pipelines.file.JsonText;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
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
    void everyEventHasWhatItsPhaseAsks() throws MalformedJsonException {
        List<JsonObject> events = events(Runs.documented());

        for (JsonObject event : events) {
            assertTrue(Set.of("M", "X", "s", "f").contains(event.get("ph").getAsString()), event::toString);
            assertFalse(event.get("name").getAsString().isEmpty());
            assertFalse(event.get("cat").getAsString().isEmpty());
            assertTrue(event.get("pid").getAsInt() > 0 && event.get("tid").getAsInt() > 0, event::toString);
        }
        assertTrue(events("X", events).stream().allMatch(it -> time(it) >= 0 && it.get("dur").getAsDouble() >= 0));
        Set<String> named = events("M", events).stream().filter(it -> it.get("name").getAsString()
            .equals("thread_name")).map(ChromeTraceTest::thread).collect(Collectors.toSet());
        assertEquals(named.size(), events("M", events).stream().filter(it -> it.get("name").getAsString()
            .equals("thread_name")).count(), "a thread has one name");
        assertTrue(named.containsAll(slices(events).keySet()));
    }

    @Test
    void slicesOfAThreadComeOneAfterAnother() throws MalformedJsonException {
        slices(events(Runs.documented())).forEach((thread, slices) -> {
            slices.sort(Comparator.comparingDouble(Slice::from).thenComparingDouble(Slice::to));
            for (int i = 1; i < slices.size(); i++) {
                assertTrue(slices.get(i - 1).to() <= slices.get(i).from() + 1e-6, thread + ": " + slices.get(i));
            }
        });
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
