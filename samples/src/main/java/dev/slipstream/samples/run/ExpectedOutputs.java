package dev.slipstream.samples.run;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.reference.TensorConversion;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Table;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What some of the outputs should be.
 *
 * @param file for messages
 */
record ExpectedOutputs(Path file, Map<String, StoredTensor> tensors) {
    /** Nothing is expected: all outputs are made, and none is compared. */
    static final ExpectedOutputs NONE = new ExpectedOutputs(Path.of(""), Map.of());

    /** @param file stays open as long as they are used. @throws InputException if it is empty */
    static ExpectedOutputs of(SafetensorsFile file) {
        if (file.tensors().isEmpty()) {
            throw new InputException(file.path() + " is empty, so there is nothing to compare with");
        }
        return new ExpectedOutputs(file.path(), file.tensors());
    }

    boolean isNone() {
        return tensors.isEmpty();
    }

    /** Names of the outputs to make; empty for all. */
    Set<String> names() {
        return tensors.keySet();
    }

    /** @param shapes of the outputs that will be made. @throws InputException if one of them is expected otherwise */
    void check(Map<String, Shape> shapes) {
        tensors.forEach((name, tensor) -> {
            if (!tensor.shape().equals(shapes.get(name))) {
                throw new InputException(file + " has " + name + " as " + tensor.shape() + ", but of these inputs it "
                    + "becomes " + shapes.get(name));
            }
        });
    }

    /** @param results of the same shapes */
    List<Comparison> compare(Map<String, StoredTensor> results, double tolerance) {
        return tensors.entrySet().stream().map(expected ->
            Comparison.of(expected.getKey(), expected.getValue(), results.get(expected.getKey()), tolerance)).toList();
    }

    /**
     * The verdict on one output.
     *
     * @param difference the largest absolute difference of an element; NaN if one is not a number
     * @param relative that, divided by the largest absolute value that is expected
     * @param at where it is that large
     */
    record Comparison(String name, Shape shape, double difference, double relative, String at, boolean passed) {
        /** @param expected of the same shape as {@code actual} */
        private static Comparison of(String name, StoredTensor expected, StoredTensor actual, double tolerance) {
            double largest = 0;
            double scale = 0;
            long at = 0;
            for (long i = 0; i < expected.shape().elements(); i++) {
                double wanted = TensorConversion.element(expected, i);
                double made = TensorConversion.element(actual, i);
                // Two infinities are equal, and their difference is not a number.
                double difference = wanted == made ? 0 : Math.abs(wanted - made);
                scale = Math.max(scale, Math.abs(wanted));
                // Not a number is the largest of all: that is never agreement.
                if (!(difference <= largest) && !Double.isNaN(largest)) {
                    largest = difference;
                    at = i;
                }
            }
            return new Comparison(name, expected.shape(), largest, largest == 0 ? 0 : largest / scale,
                Arrays.toString(position(at, expected.shape())), largest <= tolerance);
        }

        private static long[] position(long index, Shape shape) {
            long[] position = new long[shape.rank()];
            long rest = index;
            for (int axis = shape.rank() - 1; axis >= 0; axis--) {
                long size = Math.max(1, shape.dim(axis));
                position[axis] = rest % size;
                rest /= size;
            }
            return position;
        }

        private static String number(double value) {
            return Double.isFinite(value) ? Table.number("%.2e", value) : Double.toString(value);
        }

        /** For people. */
        static String table(List<Comparison> all, double tolerance) {
            Table table = new Table().left("output").left("shape").right("largest diff").right("relative").left("at")
                .left("verdict");
            all.forEach(it -> table.row(it.name(), it.shape(), number(it.difference()),
                number(it.relative()), it.at(), it.passed() ? "passed" : "FAILED"));
            long failed = all.stream().filter(it -> !it.passed()).count();
            return table + (failed == 0 ? all.size() + " of " + all.size() + " outputs agree within " + tolerance
                : failed + " of " + all.size() + " outputs differ by more than " + tolerance) + System.lineSeparator();
        }
    }
}
