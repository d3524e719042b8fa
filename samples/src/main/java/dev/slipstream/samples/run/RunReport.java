package dev.slipstream.samples.run;

import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.samples.Table;
import dev.slipstream.samples.verify.TensorConversion;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results for people. */
final class RunReport {
    private RunReport() {
    }

    static String comparisons(List<OutputComparison> all, double tolerance) {
        Table table = new Table().left("output").left("shape").right("largest diff").right("relative").left("at")
            .left("verdict");
        all.forEach(it -> table.row(it.name(), it.shape(), number(it.difference()), number(it.relative()), it.at(),
            it.passed() ? "passed" : "FAILED"));
        long failed = all.stream().filter(it -> !it.passed()).count();
        return table + (failed == 0 ? all.size() + " of " + all.size() + " outputs agree within " + tolerance
            : failed + " of " + all.size() + " outputs differ by more than " + tolerance) + System.lineSeparator();
    }

    /** What came out, where there is nothing to compare it with. */
    static String outputs(Map<String, StoredTensor> results) {
        Table table = new Table().left("output").left("type").left("shape").right("least").right("mean")
            .right("largest");
        results.forEach((name, tensor) -> {
            long count = tensor.shape().elements();
            double least = Double.POSITIVE_INFINITY;
            double largest = Double.NEGATIVE_INFINITY;
            double sum = 0;
            for (long i = 0; i < count; i++) {
                double value = TensorConversion.element(tensor, i);
                least = Math.min(least, value);
                largest = Math.max(largest, value);
                sum += value;
            }
            table.row(name, tensor.type(), tensor.shape(), number(least), number(sum / count), number(largest));
        });
        return table.toString();
    }

    private static String number(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.2e", value) : Double.toString(value);
    }
}
