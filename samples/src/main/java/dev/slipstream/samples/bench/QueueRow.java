package dev.slipstream.samples.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.samples.terminal.Table;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * How long requests that wait take together with a plan: one after another, and overlapped, with the encoders and
 * decoders of some beside the loops of others. Its components, in snake case, are the keys of the JSON form.
 *
 * @param requests how many wait
 * @param wallMs median until the last is drawn; {@code cpuMs} processing time of the whole process
 * @param overlappedWallMs likewise overlapped; {@code overlappedCpuMs} too
 * @param speedup of the median
 * @param besideShare of the requests' time that encoders and decoders take one after another: what overlapping can hide
 */
record QueueRow(int requests, double wallMs, double cpuMs, double overlappedWallMs, double overlappedCpuMs,
    double speedup, double besideShare) {
    private static final OperatingSystemMXBean SYSTEM =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /** One run. */
    private record Run(double wallMs, double cpuMs, double besideMs) {
        private static Run of(DiffusionPipeline pipeline, List<ImageRequest> requests) {
            long start = System.nanoTime();
            long cpu = SYSTEM.getProcessCpuTime();
            List<Generation> all = requests.stream().map(pipeline::submit).toList();
            double beside = 0;
            for (Generation generation : all) {
                GeneratedImage drawn = generation.result().join();
                beside += (drawn.textTime().toNanos() + drawn.decodeTime().toNanos()) / 1e6;
            }
            return new Run((System.nanoTime() - start) / 1e6, (SYSTEM.getProcessCpuTime() - cpu) / 1e6, beside);
        }
    }

    /**
     * Measures both ways in turns.
     *
     * @param alone draws one after another
     * @param overlapped draws the same, overlapped
     * @param requests to choose from, over and over
     * @param rounds of both ways
     */
    static QueueRow of(DiffusionPipeline alone, DiffusionPipeline overlapped, List<ImageRequest> requests, int count,
        int rounds) {
        List<ImageRequest> queued = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            queued.add(requests.get(i % requests.size()));
        }
        overlapped.submit(queued.getFirst()).result().join();
        List<Run> ones = new ArrayList<>();
        List<Run> others = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            ones.add(Run.of(alone, queued));
            others.add(Run.of(overlapped, queued));
        }
        Run one = median(ones);
        Run other = median(others);
        return new QueueRow(count, one.wallMs, one.cpuMs, other.wallMs, other.cpuMs, one.wallMs / other.wallMs,
            one.besideMs / one.wallMs);
    }

    private static Run median(List<Run> runs) {
        return runs.stream().sorted((one, other) -> Double.compare(one.wallMs, other.wallMs)).toList()
            .get(runs.size() / 2);
    }

    /** For a terminal. @param plans what they are called, one for each row */
    static String table(List<String> plans, List<QueueRow> rows) {
        Table table = new Table().left("plan").right("requests").right("wall ms").right("cpu ms")
            .right("overlapped").right("cpu ms").right("x").right("beside");
        for (int i = 0; i < rows.size(); i++) {
            QueueRow row = rows.get(i);
            table.row(plans.get(i), row.requests, Table.number("%.0f", row.wallMs), Table.number("%.0f", row.cpuMs),
                Table.number("%.0f", row.overlappedWallMs), Table.number("%.0f", row.overlappedCpuMs),
                Table.number("%.2f", row.speedup), Table.number("%.0f %%", 100 * row.besideShare));
        }
        return table + """

            requests: that wait at once; wall and cpu: until all are drawn, one after another, and processing time;
            overlapped: with encoders and decoders of some beside the loops of others; beside: share of the time that
            these take one after another, so what overlapping hides at most
            """;
    }
}
