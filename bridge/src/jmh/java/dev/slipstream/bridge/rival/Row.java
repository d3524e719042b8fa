package dev.slipstream.bridge.rival;

import java.util.Comparator;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What a benchmark measures, in the order of the table.
 *
 * @param call the benchmark's class
 * @param driver which takes the place of CUDA's
 * @param way the benchmark's method
 */
record Row(String call, String driver, String way) implements Comparable<Row> {
    private static final List<String> DRIVERS = List.of("null", "fake");
    private static final List<String> WAYS = List.of("jni", "jniString", "ffm", "ffmString", "checked", "safe");

    static Row of(BenchmarkParams benchmark) {
        String[] name = benchmark.getBenchmark().split("\\.");
        return new Row(name[name.length - 2],
            benchmark.getParamsKeys().contains("driver") ? benchmark.getParam("driver") : DRIVERS.getFirst(),
            name[name.length - 1]);
    }

    @Override
    public int compareTo(Row other) {
        return Comparator.<Row>comparingInt(row -> DRIVERS.indexOf(row.driver)).thenComparing(Row::call)
            .thenComparingInt(row -> WAYS.indexOf(row.way)).thenComparing(Row::way).compare(this, other);
    }
}
