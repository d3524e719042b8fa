package dev.slipstream.samples.bench;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * All that was measured of a plan. Its components, in snake case, are the keys of the JSON form.
 *
 * @param wallMs median time of the loop; likewise the least and the most
 * @param speedup of the median over the first row
 * @param criticalMs what the loop would take if each device had a core of its own; {@code criticalSpeedup} likewise
 * @param psnrDb mean over all pictures of the likeness to the first row's; 100 for identical ones
 * @param maxDiff largest difference of a channel of a pixel, 0 to 255
 * @param copiedBytes between devices, a picture
 * @param weightBytes on each device
 * @param launchUs host time a launched segment
 * @param stageMs processing time of each stage
 */
record BenchRow(String plan, String spec, List<String> devices, double wallMs, double wallMinMs, double wallMaxMs,
    double speedup, double criticalMs, double criticalSpeedup, double psnrDb, double psnrMinDb, int maxDiff,
    int pictures, int identicalPictures, long copiedBytes, List<Long> weightBytes, double heapBytesPerStep,
    double ortHeapBytesPerStep, double launchUs, Map<String, Double> stageMs) {

    /** @param probes one a contender; the first contender is what the others are compared with */
    static List<BenchRow> of(List<Contender> contenders, List<LoopProbe> probes) {
        List<BenchRow> rows = new ArrayList<>();
        Spread base = contenders.getFirst().loopMillis();
        for (int i = 0; i < contenders.size(); i++) {
            Contender it = contenders.get(i);
            LoopProbe probe = probes.get(i);
            Spread wall = it.loopMillis();
            List<Likeness> likeness = likeness(contenders.getFirst().pictures(), it.pictures());
            rows.add(new BenchRow(it.plan().label(), it.plan().spec(), it.plan().devices(), wall.median(),
                wall.least(), wall.most(), base.median() / wall.median(), probe.criticalMillis(),
                probes.getFirst().criticalMillis() / probe.criticalMillis(),
                likeness.stream().mapToDouble(Likeness::decibels).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::decibels).min().orElseThrow(),
                likeness.stream().mapToInt(Likeness::difference).max().orElseThrow(), likeness.size(),
                (int) likeness.stream().filter(pair -> pair.difference() == 0).count(), it.copiedBytes(),
                probe.weightBytes(), probe.heapBytesPerStep(), probe.runtimeHeapBytesPerStep(), probe.launchMicros(),
                probe.stageMillis()));
        }
        return rows;
    }

    private static List<Likeness> likeness(List<Image> exact, List<Image> drawn) {
        List<Likeness> all = new ArrayList<>();
        for (int i = 0; i < exact.size(); i++) {
            all.add(Likeness.of(exact.get(i), drawn.get(i)));
        }
        return all;
    }

    /** A list of objects. */
    static String json(List<BenchRow> rows) {
        return new GsonBuilder().setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .setPrettyPrinting().disableHtmlEscaping().create().toJson(rows);
    }
}
