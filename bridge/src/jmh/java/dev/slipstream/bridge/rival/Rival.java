package dev.slipstream.bridge.rival;

import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs all benchmarks in turn, a fork each, and that several times over, so that whatever else the machine does falls
 * on all of them; then prints a table in Markdown.
 */
public final class Rival {
    private static final TimeValue ITERATION = TimeValue.milliseconds(500);

    private Rival() {
    }

    /** @param arguments a regular expression that benchmarks have to match, and the number of rounds */
    public static void main(String[] arguments) throws RunnerException {
        Options options = options(arguments.length > 0 ? arguments[0] : "dev.slipstream");
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 2;
        SortedMap<Row, Samples> rows = new TreeMap<>();
        double busiest = load();
        double idlest = busiest;
        for (int round = 0; round < rounds; round++) {
            add(new Runner(options).run(), rows);
            busiest = Math.max(busiest, load());
            idlest = Math.min(idlest, load());
        }
        System.out.printf("%nJDK %s, %d processors, load %.1f to %.1f%n%n", Runtime.version(),
            Runtime.getRuntime().availableProcessors(), idlest, busiest);
        System.out.println("| driver | call | made by | processor, ns: median | mean ± 99.9 % | wall, ns: median "
            + "| heap, bytes |\n|---|---|---|---|---|---|---|");
        rows.forEach((row, samples) -> System.out.println("| " + row.driver() + " | " + row.call() + " | " + row.way()
            + " | " + samples.cells() + " |"));
    }

    private static Options options(String include) {
        return new OptionsBuilder().include(include).mode(Mode.AverageTime).timeUnit(TimeUnit.NANOSECONDS).forks(1)
            .shouldFailOnError(true).warmupIterations(3).warmupTime(ITERATION)
            .measurementIterations(5).measurementTime(ITERATION)
            .addProfiler(GCProfiler.class).addProfiler(ProcessorTime.class).build();
    }

    private static void add(Collection<RunResult> results, SortedMap<Row, Samples> rows) {
        for (RunResult result : results) {
            Samples samples = rows.computeIfAbsent(Row.of(result.getParams()), row -> new Samples());
            for (BenchmarkResult fork : result.getBenchmarkResults()) {
                fork.getIterationResults().forEach(samples::add);
            }
        }
    }

    /** Of the whole machine: more than there are processors means that they were shared. */
    private static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}
