package dev.slipstream.pipelines.run.timeline;

import com.google.gson.stream.JsonWriter;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Flow;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/** Timelines in the Trace Event Format of Chrome ("Trace Event Format", Google, 2016). */
final class ChromeTrace implements TimelineFormat {
    private static final double NANOS_PER_MICRO = 1e3;

    @Override
    public String text(Map<String, Timeline> runs) {
        try {
            return new Writer().of(runs);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** One trace on its way. */
    private static final class Writer {
        private final StringWriter text = new StringWriter();
        private final JsonWriter json = new JsonWriter(text);
        private int processes;
        private int flows;

        String of(Map<String, Timeline> runs) throws IOException {
            json.beginObject().name("displayTimeUnit").value("ms").name("traceEvents").beginArray();
            for (Map.Entry<String, Timeline> run : runs.entrySet()) {
                add(run.getKey(), run.getValue());
            }
            json.endArray().endObject();
            return text.toString();
        }

        private void add(String name, Timeline timeline) throws IOException {
            for (int device = 0; device < timeline.devices(); device++) {
                meta("process_name", device, 0, process(name, device, timeline));
            }
            for (int lane = 0; lane < timeline.lanes().size(); lane++) {
                Lane it = timeline.lanes().get(lane);
                meta("thread_name", it.device(), lane, it.copies() ? "copies"
                    : timeline.isBeside(lane) ? "other requests" : "compute");
            }
            Map<Integer, Span> spans = new HashMap<>();
            for (Span span : timeline.spans()) {
                spans.put(span.instruction(), span);
                complete(timeline, span);
            }
            for (Flow flow : timeline.flows()) {
                if (spans.containsKey(flow.from()) && spans.containsKey(flow.to())) {
                    flow(timeline, spans.get(flow.from()), spans.get(flow.to()));
                }
            }
            processes += timeline.devices();
        }

        private static String process(String run, int device, Timeline timeline) {
            String name = timeline.deviceName(device);
            String numbered = name.equals("device " + device) ? name : "device " + device + " (" + name + ")";
            return run.isEmpty() ? numbered : run + ": " + numbered;
        }

        /** Says what people call a process or thread. */
        private void meta(String what, int device, int lane, String name) throws IOException {
            event("M", what, "__metadata", device, lane).name("args").beginObject().name("name").value(name);
            json.endObject().endObject();
        }

        private void complete(Timeline timeline, Span span) throws IOException {
            boolean beside = timeline.isBeside(span.lane());
            event("X", name(timeline, span), beside ? "other" : category(span.activity()), device(timeline, span),
                span.lane());
            json.name("ts").value(micros(span.startNanos()));
            json.name("dur").value(micros(span.endNanos() - span.startNanos()));
            json.name("args").beginObject();
            if (!beside) {
                json.name("step").value(span.step() + 1);
            }
            json.name("busy_us").value(micros(span.busyNanos()));
            if (span.activity() instanceof Activity.Copy copy) {
                json.name("bytes").value(copy.bytes());
            }
            json.endObject().endObject();
        }

        private static String name(Timeline timeline, Span span) {
            return span.activity() instanceof Activity.Copy(int from, int to, long bytes) && from != to
                ? "copy to device " + to : timeline.name(span);
        }

        /** From inside the span that makes a value, where viewers look for it, to the beginning of who reads it. */
        private void flow(Timeline timeline, Span from, Span to) throws IOException {
            int id = flows++;
            event("s", "value", "flow", device(timeline, from), from.lane()).name("id").value(id).name("ts")
                .value(micros(Math.max(from.startNanos(), from.endNanos() - 1)));
            json.endObject();
            event("f", "value", "flow", device(timeline, to), to.lane()).name("id").value(id).name("bp").value("e")
                .name("ts").value(micros(to.startNanos()));
            json.endObject();
        }

        private JsonWriter event(String phase, String name, String category, int device, int lane) throws IOException {
            return json.beginObject().name("ph").value(phase).name("name").value(name).name("cat").value(category)
                .name("pid").value(processes + device + 1).name("tid").value(lane + 1);
        }

        private static int device(Timeline timeline, Span span) {
            return timeline.lanes().get(span.lane()).device();
        }

        private static String category(Activity activity) {
            return switch (activity) {
                case Activity.Stage stage -> "stage";
                case Activity.Copy copy -> "copy";
                case Activity.Arithmetic arithmetic -> "arithmetic";
                case Activity.Wait wait -> "wait";
            };
        }

        private static double micros(long nanos) {
            return nanos / NANOS_PER_MICRO;
        }
    }
}
