package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.pipelines.file.JsonText;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rules of the Trace Event Format ("Trace Event Format", Google, 2016), as far as traces use it, held strictly:
 * what a phase needs is there, and nothing that it does not know.
 */
public final class TraceRules {
    private static final Set<String> EVERY = Set.of("ph", "name", "cat", "pid", "tid");
    private static final Map<String, Set<String>> MORE = Map.of("M", Set.of("args"), "X", Set.of("ts", "dur", "args"),
        "s", Set.of("id", "ts"), "f", Set.of("id", "ts", "bp"));
    private static final Set<String> METADATA = Set.of("process_name", "thread_name");
    /** Of microseconds; numbers are doubles. */
    private static final double ROUNDING = 1e-6;

    private final List<JsonObject> events = new ArrayList<>();

    private record Slice(double from, double to) {
        boolean holds(Slice other) {
            return from - ROUNDING <= other.from && other.to <= to + ROUNDING;
        }

        boolean isBefore(Slice other) {
            return to <= other.from + ROUNDING;
        }
    }

    private TraceRules() {
    }

    /** @throws AssertionError naming what breaks a rule */
    public static void check(String trace) throws MalformedJsonException {
        JsonObject all = JsonText.parse(trace).getAsJsonObject();
        assertEquals(Set.of("displayTimeUnit", "traceEvents"), all.keySet());
        assertTrue(Set.of("ms", "ns").contains(all.get("displayTimeUnit").getAsString()));
        TraceRules rules = new TraceRules();
        all.getAsJsonArray("traceEvents").asList().stream().map(JsonElement::getAsJsonObject)
            .forEach(rules.events::add);
        rules.events.forEach(TraceRules::checkFields);
        rules.checkNames();
        rules.checkNesting();
        rules.checkFlows();
    }

    private static String text(JsonObject event, String key) {
        return event.get(key).getAsString();
    }

    private static String thread(JsonObject event) {
        return event.get("pid").getAsInt() + "/" + event.get("tid").getAsInt();
    }

    private List<JsonObject> of(String phase) {
        return events.stream().filter(event -> text(event, "ph").equals(phase)).toList();
    }

    private static void checkFields(JsonObject event) {
        String phase = text(event, "ph");
        assertTrue(MORE.containsKey(phase), event::toString);
        Set<String> wanted = new HashSet<>(EVERY);
        wanted.addAll(MORE.get(phase));
        assertEquals(wanted, event.keySet(), event::toString);
        for (String text : Set.of("name", "cat")) {
            assertTrue(event.get(text).getAsJsonPrimitive().isString() && !text(event, text).isEmpty(),
                event::toString);
        }
        for (String number : Set.of("pid", "tid", "id", "ts", "dur")) {
            if (event.has(number)) {
                assertTrue(event.get(number).getAsJsonPrimitive().isNumber(), event::toString);
                double value = event.get(number).getAsDouble();
                assertTrue(Double.isFinite(value) && value >= 0, event::toString);
                assertTrue(number.equals("ts") || number.equals("dur") || value == Math.rint(value), event::toString);
            }
        }
        if (phase.equals("M")) {
            assertTrue(METADATA.contains(text(event, "name")), event::toString);
            assertEquals(Set.of("name"), event.getAsJsonObject("args").keySet());
            assertFalse(event.getAsJsonObject("args").get("name").getAsString().isEmpty());
        }
        if (phase.equals("f")) {
            assertEquals("e", text(event, "bp"));
        }
    }

    /** Each process and each thread that something happens in has one name. */
    private void checkNames() {
        Set<Integer> processes = new HashSet<>();
        Set<String> threads = new HashSet<>();
        for (JsonObject event : of("M")) {
            assertTrue(text(event, "name").equals("process_name") ? processes.add(event.get("pid").getAsInt())
                : threads.add(thread(event)), () -> "named twice: " + event);
        }
        events.forEach(event -> assertTrue(processes.contains(event.get("pid").getAsInt())
            && (text(event, "ph").equals("M") || threads.contains(thread(event))), () -> "without a name: " + event));
    }

    /** Two slices of a thread are apart, or one holds the other. */
    private void checkNesting() {
        slices().forEach((thread, slices) -> {
            slices.sort(Comparator.comparingDouble(Slice::from).thenComparing(Slice::to, Comparator.reverseOrder()));
            Deque<Slice> open = new ArrayDeque<>();
            for (Slice slice : slices) {
                while (!open.isEmpty() && open.peek().isBefore(slice)) {
                    open.pop();
                }
                assertTrue(open.isEmpty() || open.peek().holds(slice), () -> thread + ": " + slice + " cuts " + open);
                open.push(slice);
            }
        });
    }

    private Map<String, List<Slice>> slices() {
        Map<String, List<Slice>> slices = new HashMap<>();
        of("X").forEach(event -> slices.computeIfAbsent(thread(event), key -> new ArrayList<>()).add(new Slice(
            event.get("ts").getAsDouble(), event.get("ts").getAsDouble() + event.get("dur").getAsDouble())));
        return slices;
    }

    /** A flow has one beginning and one end, of one name, in slices, and goes forward. */
    private void checkFlows() {
        Map<String, List<Slice>> slices = slices();
        Map<Integer, JsonObject> begun = new HashMap<>();
        of("s").forEach(event -> assertEquals(null, begun.put(event.get("id").getAsInt(), event), event::toString));
        for (JsonObject end : of("f")) {
            JsonObject start = begun.remove(end.get("id").getAsInt());
            assertTrue(start != null, () -> "no beginning, or a second end: " + end);
            assertEquals(text(start, "name") + text(start, "cat"), text(end, "name") + text(end, "cat"));
            assertTrue(start.get("ts").getAsDouble() <= end.get("ts").getAsDouble() + ROUNDING, end::toString);
            for (JsonObject event : List.of(start, end)) {
                double time = event.get("ts").getAsDouble();
                assertTrue(slices.getOrDefault(thread(event), List.of()).stream()
                    .anyMatch(slice -> slice.holds(new Slice(time, time))), () -> "in no slice: " + event);
            }
        }
        assertEquals(Map.of(), begun, "flows without an end");
    }
}
