package dev.slipstream.pipelines.run.timeline;

import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Flow;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Timelines as a drawing. Colours are in a style sheet, as plain values: viewers that know no variables show it, too.
 */
final class Drawing implements TimelineFormat {
    private static final int WIDTH = 1160;
    private static final int LEFT = 118;
    private static final int PLOT = 960;
    private static final int MARGIN = 20;
    private static final int LANE = 34;
    private static final int COPY_LANE = 12;
    private static final int OTHER_LANE = 20;
    private static final int GAP = 16;
    private static final int HEADING = 30;
    private static final int AXIS = 34;
    private static final int LEGEND = 30;
    /** Colours of steps; then they come again. */
    private static final int COLOURS = 6;
    /** Pixels that a step has on average where there are arrows. */
    private static final int ARROW_STEP = 40;
    /** Spans that are narrower are left out. */
    private static final double NARROWEST = 0.05;
    private static final double LETTER = 5.7;
    private static final String STRIPES = "fill=\"url(#stripes)\" pointer-events=\"none\"";

    private static final String STYLE = """
        <style>
          .paper { fill: #fff } .ink { fill: #222 } .note { fill: #666; font-size: 11px }
          .bold { font-weight: bold } .end { text-anchor: end } .middle { text-anchor: middle }
          .other { fill: #c4c6c2 } .lane { fill: #f1f1ee } .small { fill: #555 }
          .stripe { stroke: #fff; stroke-width: 2; opacity: .55 }
          .wait { stroke: #999; stroke-dasharray: 1 3 } .axis { stroke: #999 } .grid { stroke: #ddd; stroke-width: .6 }
          .box { stroke: #fff; stroke-width: .6 } .in { fill: #222; font-size: 11px; text-anchor: middle }
          .new { stroke: #333; fill: none; marker-end: url(#new) } .newhead { fill: #333 }
          .old { stroke: #c0392b; fill: none; stroke-dasharray: 4 3; marker-end: url(#old) } .oldhead { fill: #c0392b }
          .c0 { fill: #8fb8de } .c1 { fill: #f2b880 } .c2 { fill: #9fd0a5 }
          .c3 { fill: #d3a9d6 } .c4 { fill: #e6d47e } .c5 { fill: #e79d97 }
          @media (prefers-color-scheme: dark) {
            .paper { fill: #15181c } .ink { fill: #e4e4e0 } .note { fill: #a2a29c }
            .lane { fill: #22262c } .small { fill: #b5b5b0 } .other { fill: #565c65 }
            .stripe { stroke: #15181c }
            .wait, .axis { stroke: #777 } .grid { stroke: #333 } .box { stroke: #15181c } .in { fill: #f4f4f0 }
            .new { stroke: #ccc } .newhead { fill: #ccc } .old { stroke: #ff8270 } .oldhead { fill: #ff8270 }
            .c0 { fill: #3f6f9c } .c1 { fill: #a3682c } .c2 { fill: #457f4e }
            .c3 { fill: #825288 } .c4 { fill: #84752a } .c5 { fill: #9b514b }
          }
        </style>
        <defs>
          <pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path d="M3 0V6" class="stripe"/>
          </pattern>
          <marker id="new" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">
            <path d="M0 0 8 4 0 8z" class="newhead"/>
          </marker>
          <marker id="old" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">
            <path d="M0 0 8 4 0 8z" class="oldhead"/>
          </marker>
        </defs>
        """;

    /** Where a lane lies. */
    private record Row(double top, double height) {
        double bottom() {
            return top + height;
        }
    }

    @Override
    public String text(Map<String, Timeline> runs) {
        return new Sheet(runs).svg();
    }

    private static String number(double value) {
        String text = String.format(Locale.ROOT, "%.2f", value);
        return text.endsWith("00") ? text.substring(0, text.length() - 3) : text;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    private static String time(long nanos) {
        double[] sizes = {1, 1e3, 1e6, 1e9};
        List<String> names = List.of("ns", "µs", "ms", "s");
        int unit = nanos >= 1e9 ? 3 : nanos >= 1e6 ? 2 : nanos >= 1e3 ? 1 : 0;
        double value = nanos / sizes[unit];
        String text = String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
        return (text.contains(".") ? text.replaceAll("\\.?0+$", "") : text) + " " + names.get(unit);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    /** One drawing on its way, from top to bottom. */
    private static final class Sheet {
        private final Map<String, Timeline> runs;
        private final long endNanos;
        private final StringBuilder body = new StringBuilder();
        private double y = MARGIN;
        private final Set<String> arrows = new HashSet<>();
        private boolean others;

        Sheet(Map<String, Timeline> runs) {
            this.runs = runs;
            this.endNanos = Math.max(1, runs.values().stream().mapToLong(Timeline::endNanos).max().orElse(0));
        }

        String svg() {
            runs.forEach(this::run);
            String drawn = body.toString();
            body.setLength(0);
            grid(y + 3);
            body.append(drawn);
            axis();
            legend();
            return """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %s" font-family="sans-serif" font-size="13" \
                role="img" aria-labelledby="t">
                <title id="t">%s</title>
                %s<rect width="%d" height="%s" class="paper"/>
                %s</svg>
                """.formatted(WIDTH, number(y), title(), STYLE, WIDTH, number(y), body);
        }

        private String title() {
            return escaped("What ran where and when: " + String.join(", ", runs.entrySet().stream()
                .map(run -> (run.getKey().isEmpty() ? "" : run.getKey() + " ") + time(run.getValue().endNanos()))
                .toList()));
        }

        private void run(String name, Timeline timeline) {
            text(MARGIN, y + 14, "ink bold", name.isEmpty() ? time(timeline.endNanos()) : name);
            text(LEFT + PLOT, y + 14, "note end", (name.isEmpty() ? "" : time(timeline.endNanos()) + ", ")
                + "devices compute " + percent(timeline.utilisation()) + " of the time");
            y += HEADING;
            Map<Integer, Row> rows = new HashMap<>();
            for (int device = 0; device < timeline.devices(); device++) {
                device(timeline, device, rows);
            }
            int steps = 1 + timeline.spans().stream().mapToInt(Span::step).max().orElse(0);
            if (x(timeline.endNanos()) - x(0) >= (double) ARROW_STEP * steps) {
                // First, so that they pass behind the boxes of other lanes.
                arrows(timeline, rows);
            }
            timeline.spans().forEach(span -> span(timeline, span, rows.get(span.lane())));
        }

        private void device(Timeline timeline, int device, Map<Integer, Row> rows) {
            String name = timeline.deviceName(device);
            text(MARGIN, y + 15, "ink", "device " + device);
            if (!name.equals("device " + device)) {
                text(MARGIN, y + 29, "note", name);
            }
            text(LEFT + PLOT + 8, y + 22, "note", percent(timeline.utilisation(device)));
            for (int lane = 0; lane < timeline.lanes().size(); lane++) {
                Lane it = timeline.lanes().get(lane);
                if (it.device() != device || it.copies() && isEmpty(timeline, lane)) {
                    continue;
                }
                Row row = new Row(y, it.copies() ? COPY_LANE : timeline.isBeside(lane) ? OTHER_LANE : LANE);
                rows.put(lane, row);
                rect(x(0), row, x(timeline.endNanos()) - x(0), "class=\"lane\"", "");
                y += row.height() + 2;
            }
            y += GAP;
        }

        private static boolean isEmpty(Timeline timeline, int lane) {
            return timeline.spans().stream().noneMatch(span -> span.lane() == lane);
        }

        private void span(Timeline timeline, Span span, Row row) {
            double from = x(span.startNanos());
            double width = x(span.endNanos()) - from;
            if (row == null || width < NARROWEST) {
                return;
            }
            if (timeline.isBeside(span.lane())) {
                others = true;
                rect(from, row, width, "class=\"box other\"", "<title>" + escaped(timeline.name(span)) + ", "
                    + time(span.endNanos() - span.startNanos()) + "</title>");
                label(row, from, width, timeline.name(span));
                return;
            }
            switch (span.activity()) {
                case Activity.Wait wait -> path("wait", "M%s %sh%s", from, row.top() + row.height() / 2, width);
                case Activity.Arithmetic arithmetic -> box(timeline, span, row, "small");
                case Activity.Copy copy -> {
                    box(timeline, span, row, "c" + span.step() % COLOURS);
                    rect(from, row, width, STRIPES, "");
                }
                case Activity.Stage stage -> {
                    box(timeline, span, row, "box c" + span.step() % COLOURS);
                    String step = Integer.toString(span.step() + 1);
                    label(row, from, width, step + " · " + timeline.name(span), step);
                }
            }
        }

        /** A rectangle that says what it is. */
        private void box(Timeline timeline, Span span, Row row, String style) {
            String what = timeline.name(span) + ", step " + (span.step() + 1) + ", "
                + time(span.endNanos() - span.startNanos());
            rect(x(span.startNanos()), row, x(span.endNanos()) - x(span.startNanos()), "class=\"" + style + "\"",
                "<title>" + escaped(what) + "</title>");
        }

        /** The first text for which there is room. */
        private void label(Row row, double from, double width, String... texts) {
            Stream.of(texts).filter(text -> text.length() * LETTER + 4 <= width).findFirst()
                .ifPresent(text -> text(from + width / 2, row.top() + row.height() / 2 + 4, "in", text));
        }

        private void arrows(Timeline timeline, Map<Integer, Row> rows) {
            Map<Integer, Span> spans = new HashMap<>();
            timeline.spans().forEach(span -> spans.put(span.instruction(), span));
            for (Flow flow : timeline.flows()) {
                Span from = spans.get(flow.from());
                Span to = spans.get(flow.to());
                if (from != null && to != null) {
                    Row start = rows.get(from.lane());
                    Row end = rows.get(to.lane());
                    boolean down = start.top() < end.top();
                    // Latents are of the step that they lead to.
                    boolean old = from.step() < to.step() && !(from.activity() instanceof Activity.Arithmetic);
                    arrow(x(from.endNanos()), down ? start.bottom() : start.top(), x(to.startNanos()),
                        down ? end.top() : end.bottom(), old);
                }
            }
        }

        private void arrow(double fromX, double fromY, double toX, double toY, boolean old) {
            String style = old ? "old" : "new";
            arrows.add(style);
            double bend = (toY - fromY) / 2;
            path(style, "M%s %sC%s %s %s %s %s %s", fromX, fromY, fromX, fromY + bend, toX, toY - bend, toX, toY);
        }

        /** Between two ticks: 1, 2 or 5 of a power of ten, so that there are about ten. */
        private long tick() {
            long tick = 1;
            while (endNanos / tick > 10) {
                long digit = tick;
                while (digit >= 10) {
                    digit /= 10;
                }
                tick = digit == 2 ? tick / 2 * 5 : tick * 2;
            }
            return tick;
        }

        private void axis() {
            path("axis", "M%s %sh%s", LEFT, y, PLOT);
            for (long nanos = 0; nanos <= endNanos; nanos += tick()) {
                text(x(nanos), y + 14, "note middle", nanos == 0 ? "0" : time(nanos));
            }
            y += AXIS;
        }

        /** Behind all else. */
        private void grid(double bottom) {
            for (long nanos = 0; nanos <= endNanos; nanos += tick()) {
                path("grid", "M%s %sV%s", x(nanos), MARGIN + HEADING, bottom);
            }
        }

        private void legend() {
            double x = LEFT;
            for (int colour = 0; colour < COLOURS; colour++) {
                x = swatch(x, 16, "class=\"box c" + colour + "\"");
            }
            x = legend(x, "a stage, in the colour of its step");
            swatch(x, 20, "class=\"c0\"");
            x = legend(swatch(x, 20, STRIPES), "a copy");
            x = legend(swatch(x, 6, "class=\"small\""), "combinations, checks");
            x = legend(line(x, "wait"), "waits");
            if (arrows.contains("new")) {
                x = legend(line(x, "new"), "a value of this step");
            }
            if (arrows.contains("old")) {
                legend(line(x, "old"), "a value of an earlier step");
            }
            if (others) {
                y += 20;
                legend(swatch(LEFT, 20, "class=\"other\""), "done for other requests meanwhile");
            }
            y += LEGEND;
        }

        /** @return where the next thing begins */
        private double legend(double x, String text) {
            text(x + 6, y + 11, "note", text);
            return x + 6 + text.length() * LETTER + 14;
        }

        private double swatch(double x, double width, String attributes) {
            rect(x, new Row(y, 14), width, attributes, "");
            return x + width;
        }

        private double line(double x, String style) {
            path(style, "M%s %sh24", x, y + 7);
            return x + 26;
        }

        private void rect(double x, Row row, double width, String attributes, String content) {
            body.append("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" %s>%s</rect>\n".formatted(number(x),
                number(row.top()), number(width), number(row.height()), attributes, content));
        }

        /** @param data with a place for each number */
        private void path(String style, String data, double... numbers) {
            body.append("<path d=\"%s\" class=\"%s\"/>\n".formatted(
                data.formatted(DoubleStream.of(numbers).mapToObj(Drawing::number).toArray()), style));
        }

        private void text(double x, double baseline, String style, String text) {
            body.append("<text x=\"%s\" y=\"%s\" class=\"%s\">%s</text>\n".formatted(number(x), number(baseline), style,
                escaped(text)));
        }

        private double x(long nanos) {
            return LEFT + (double) PLOT * nanos / endNanos;
        }
    }
}
