package dev.slipstream.samples.options;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.TimelineFormat;
import dev.slipstream.samples.terminal.HelpLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Where it is written what ran where and when. */
public final class TimelineOptions {
    private static final String TRACE = "--trace";
    private static final String TIMELINE = "--timeline";

    @Option(names = TRACE, paramLabel = "FILE", order = HelpLayout.OUTPUT + 5,
        description = "Time the loop, and write what ran where and when as a trace (JSON) that ui.perfetto.dev opens. "
            + "Devices replay nothing meanwhile.")
    private Path trace;

    @Option(names = TIMELINE, paramLabel = "FILE", order = HelpLayout.OUTPUT + 6,
        description = "The same as a drawing (SVG): devices from top to bottom, a colour for each step.")
    private Path timeline;

    /** Whether loops must be timed. */
    public boolean areWanted() {
        return trace != null || timeline != null;
    }

    /**
     * Before work begins: whether they can be written.
     *
     * @param others files that are read, or other results
     * @throws dev.slipstream.samples.terminal.InputException if they cannot
     */
    public void check(List<Path> others) {
        check(TRACE, trace, others);
        List<Path> before = new ArrayList<>(others);
        Stream.ofNullable(trace).forEach(before::add);
        check(TIMELINE, timeline, before);
    }

    private static void check(String option, Path file, List<Path> others) {
        if (file != null) {
            ResultFiles.checkWritable(option, List.of(file));
            ResultFiles.refuseOverwriting(option, file, others);
        }
    }

    /**
     * Writes what is wanted.
     *
     * @param runs by what people call them
     * @return the files, by what they are
     */
    public Map<String, Path> write(Map<String, Timeline> runs) throws IOException {
        Map<String, Path> files = new LinkedHashMap<>();
        if (trace != null) {
            AtomicFile.write(trace, TimelineFormat.CHROME_TRACE.text(runs));
            files.put("trace", trace);
        }
        if (timeline != null) {
            AtomicFile.write(timeline, TimelineFormat.SVG.text(runs));
            files.put("timeline", timeline);
        }
        return files;
    }
}
