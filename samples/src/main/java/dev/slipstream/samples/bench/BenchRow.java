package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.calibration.QualityTable;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.bench.PlanBenchmark.Contender;
import dev.slipstream.samples.terminal.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * All that was measured of a plan. Its components, in snake case, are the keys of the JSON form.
 *
 * @param wallMs median time of the loop; likewise the least and the most
 * @param speedup of the median over the first row
 * @param criticalMs what the loop would take if each device had a core of its own; {@code criticalSpeedup} likewise
 * @param psnrDb mean over all pictures of the likeness to the first row's; 100 for identical ones
 * @param ssim mean over all pictures of the similarity of structures, 1 for identical ones; {@code ssimMin} the least
 * @param maxDiff largest difference of a channel of a pixel, 0 to 255
 * @param copiedBytes between devices, a picture
 * @param weightBytes on each device
 * @param launchUs host time a launched segment
 * @param stageMs processing time of each stage
 * @param queue how long waiting requests take, if that was measured
 */
record BenchRow(String plan, String spec, List<String> devices, double wallMs, double wallMinMs, double wallMaxMs,
    double speedup, double criticalMs, double criticalSpeedup, double psnrDb, double psnrMinDb, double ssim,
    double ssimMin, int maxDiff, int pictures, int identicalPictures, long copiedBytes, List<Long> weightBytes,
    double heapBytesPerStep, double ortHeapBytesPerStep, double launchUs, Map<String, Double> stageMs,
    QueueRow queue) {

    private static final String LEGEND = """
        w1, w3: warm-up steps; s2: stride 2; on: number of devices; wall: median of the loop in ms, and its range; x:
        speed-up over the first row; path: how many ms the loop would take with a core for each device, from the
        processing times of its stages (needs a quiet machine where a device has 2 threads); dB: likeness to the first
        row's pictures, mean and worst; SSIM: similarity of structures, mean, 1 for the same; diff: largest difference
        of a pixel's channel; copied: between devices, a picture; weights: most on one device; heap: bytes a step in
        our own code (ONNX Runtime's own: in the JSON); us: host time a launch; direct: every step is queued anew,
        where the other rows replay what recurs
        """;

    /** @param probes one for each contender, of which the first is to compare with; {@code queues} too, or none */
    static List<BenchRow> of(List<Contender> contenders, List<LoopProbe> probes, List<QueueRow> queues) {
        List<BenchRow> rows = new ArrayList<>();
        Spread base = contenders.getFirst().loopMillis();
        for (int i = 0; i < contenders.size(); i++) {
            Contender it = contenders.get(i);
            LoopProbe probe = probes.get(i);
            Spread wall = it.loopMillis();
            List<Likeness> likeness = Likeness.of(contenders.getFirst().pictures(), it.pictures());
            rows.add(new BenchRow(it.label(), it.spec(), it.devices(), wall.median(),
                wall.least(), wall.most(), base.median() / wall.median(), probe.criticalMillis(),
                probes.getFirst().criticalMillis() / probe.criticalMillis(),
                likeness.stream().mapToDouble(Likeness::decibels).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::decibels).min().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::similarity).average().orElseThrow(),
                likeness.stream().mapToDouble(Likeness::similarity).min().orElseThrow(),
                likeness.stream().mapToInt(Likeness::difference).max().orElseThrow(), likeness.size(),
                (int) likeness.stream().filter(pair -> pair.difference() == 0).count(), it.copiedBytes(),
                probe.weightBytes(), probe.heapBytesPerStep(), probe.runtimeHeapBytesPerStep(), probe.launchMicros(),
                probe.stageMillis(), queues.isEmpty() ? null : queues.get(i)));
        }
        return rows;
    }

    /** What is kept of it for who chooses plans. @param strategy of the plan */
    QualityTable.Row quality(QualityTable.Setting setting, String strategy) {
        return QualityTable.Row.ofToday(strategy, setting, pictures, psnrDb, psnrMinDb, ssim);
    }

    /** For a terminal of 120 columns. */
    static String table(List<BenchRow> rows) {
        Table table = new Table().left("plan").right("on").right("wall").right("range").right("x")
            .right("path").right("x").right("dB").right("worst").right("SSIM").right("diff")
            .right("copied").right("weights").right("heap").right("us");
        for (BenchRow row : rows) {
            table.row(row.plan(), row.devices().size(), Table.number("%.0f", row.wallMs()),
                Table.number("%.0f", row.wallMinMs()) + "-" + Table.number("%.0f", row.wallMaxMs()),
                Table.number("%.2f", row.speedup()), Table.number("%.0f", row.criticalMs()),
                Table.number("%.2f", row.criticalSpeedup()), decibels(row.psnrDb()), decibels(row.psnrMinDb()),
                Table.number("%.3f", row.ssim()), row.maxDiff(), megabytes(row.copiedBytes()),
                megabytes(row.weightBytes().stream().mapToLong(Long::longValue).max().orElse(0)),
                Math.round(row.heapBytesPerStep()), Table.number("%.1f", row.launchUs()));
        }
        return table + "\n" + LEGEND;
    }

    private static String decibels(double value) {
        return value >= Likeness.IDENTICAL ? "same" : Table.number("%.1f", value);
    }

    private static String megabytes(long bytes) {
        return Table.number("%.1fM", bytes / 1e6);
    }

    /**
     * How like two pictures are, of 8 bits a channel.
     *
     * @param decibels peak signal-to-noise ratio; {@link #IDENTICAL} if they are the same
     * @param similarity of structures, the mean over all pixels and channels, 1 if they are the same (Wang et al.,
     *     "Image quality assessment: from error visibility to structural similarity", 2004)
     * @param difference largest difference of a channel of a pixel, 0 to 255
     */
    record Likeness(double decibels, double similarity, int difference) {
        /** Used instead of infinity, so that means are finite: two small pictures that differ never have as much. */
        static final double IDENTICAL = 100;
        private static final double PEAK = 255;
        private static final int CHANNELS = 3;

        static Likeness of(Image one, Image other) {
            byte[] first = one.rgb();
            byte[] second = other.rgb();
            if (one.width() != other.width() || first.length != second.length) {
                throw new IllegalArgumentException("pictures of " + one + " and " + other + " cannot be compared");
            }
            long squares = 0;
            int largest = 0;
            for (int i = 0; i < first.length; i++) {
                int difference = Math.abs((first[i] & 0xFF) - (second[i] & 0xFF));
                squares += (long) difference * difference;
                largest = Math.max(largest, difference);
            }
            double decibels = squares == 0 ? IDENTICAL : 10 * Math.log10(PEAK * PEAK * first.length / squares);
            double similarity = IntStream.range(0, CHANNELS).mapToDouble(channel -> Structure.similarity(
                plane(first, channel), plane(second, channel), one.width())).average().orElseThrow();
            return new Likeness(Math.min(decibels, IDENTICAL), similarity, largest);
        }

        /** Of pictures in the same order. */
        static List<Likeness> of(List<Image> exact, List<Image> drawn) {
            return IntStream.range(0, exact.size()).mapToObj(i -> of(exact.get(i), drawn.get(i))).toList();
        }

        private static double[] plane(byte[] rgb, int channel) {
            double[] plane = new double[rgb.length / CHANNELS];
            for (int i = 0; i < plane.length; i++) {
                plane[i] = rgb[i * CHANNELS + channel] & 0xFF;
            }
            return plane;
        }

        /** Of one channel, with the paper's window and constants; at edges the window is cut off. */
        private static final class Structure {
            private static final int REACH = 5;
            private static final double DEVIATION = 1.5;
            private static final double LIGHT = Math.pow(0.01 * PEAK, 2);
            private static final double CONTRAST = Math.pow(0.03 * PEAK, 2);
            private static final double[] WINDOW = IntStream.rangeClosed(-REACH, REACH)
                .mapToDouble(at -> Math.exp(-at * at / (2 * DEVIATION * DEVIATION))).toArray();

            private Structure() {
            }

            static double similarity(double[] one, double[] other, int width) {
                double[] mean = blurred(one, width);
                double[] otherMean = blurred(other, width);
                double[] square = blurred(product(one, one), width);
                double[] otherSquare = blurred(product(other, other), width);
                double[] both = blurred(product(one, other), width);
                double sum = 0;
                for (int i = 0; i < one.length; i++) {
                    double means = mean[i] * otherMean[i];
                    double meanSquares = mean[i] * mean[i] + otherMean[i] * otherMean[i];
                    double variances = square[i] + otherSquare[i] - meanSquares;
                    sum += (2 * means + LIGHT) * (2 * (both[i] - means) + CONTRAST)
                        / ((meanSquares + LIGHT) * (variances + CONTRAST));
                }
                return sum / one.length;
            }

            private static double[] product(double[] one, double[] other) {
                return IntStream.range(0, one.length).mapToDouble(i -> one[i] * other[i]).toArray();
            }

            /** The mean around each pixel, weighted by the window: first along rows, then along columns. */
            private static double[] blurred(double[] plane, int width) {
                int height = plane.length / width;
                double[] rows = new double[plane.length];
                double[] blurred = new double[plane.length];
                for (int y = 0; y < height; y++) {
                    for (int x = 0; x < width; x++) {
                        rows[y * width + x] = mean(plane, y * width, 1, x, width);
                    }
                }
                for (int y = 0; y < height; y++) {
                    for (int x = 0; x < width; x++) {
                        blurred[y * width + x] = mean(rows, x, width, y, height);
                    }
                }
                return blurred;
            }

            private static double mean(double[] values, int start, int stride, int at, int count) {
                double sum = 0;
                double weights = 0;
                for (int near = Math.max(0, at - REACH); near <= Math.min(count - 1, at + REACH); near++) {
                    double weight = WINDOW[near - at + REACH];
                    sum += weight * values[start + near * stride];
                    weights += weight;
                }
                return sum / weights;
            }
        }
    }
}
