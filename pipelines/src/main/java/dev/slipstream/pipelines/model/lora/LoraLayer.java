package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * The change of a layer's weight or bias.
 *
 * @param factors from which it is computed
 * @param scale of the matrix that they give: usually alpha / rank; 1 if the file has no alpha, or nothing is factored
 * @param decomposition of the changed weight, for DoRA
 */
public record LoraLayer(Factors factors, double scale, Optional<Decomposition> decomposition) {
    /** The tensor that names it in messages. */
    String name() {
        return factors.tensors().getFirst().name();
    }

    boolean fits(Shape weight) {
        return factors.fits(weight) && decomposition.map(it -> it.fits(weight)).orElse(true);
    }

    boolean changesNothing() {
        return scale == 0 && decomposition.isEmpty();
    }

    /**
     * What it adds to the weight {@code base}, or to a part of the weight's rows, times {@code weight}.
     *
     * @param shape of the whole weight
     * @param place of a row of {@code base} among those of the whole weight
     */
    Rows rows(SafetensorsFile file, float[] base, Shape shape, double weight, IntUnaryOperator place) {
        return decomposition
            .map(it -> it.rows(Rows.of(factors, file, scale), base, shape, file, weight, place))
            .orElseGet(() -> Rows.of(factors, file, weight * scale).at(place));
    }

    /**
     * DoRA: the changed weight {@code V = W + Δ} gives directions only, and their lengths are trained: {@code m · V /
     * ‖V‖}. Of a LoRA that is wanted in part, by {@code w}, the change is {@code w · (m · V / ‖V‖ - W)}, as
     * in ComfyUI; PEFT would scale Δ alone, so that a DoRA scaled by 0 would still change the lengths. With several
     * LoRAs, W is the weight without any of them, so that their order does not matter.
     *
     * <p>Source: Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", arXiv 2402.09353; LyCORIS for lengths per
     * input.
     *
     * @param lengths one for each output or, in files of LyCORIS, for each input
     * @param perInput whether they may be per input: [1, inputs, ...]
     */
    public record Decomposition(Factor lengths, boolean perInput) {
        /** LyCORIS adds it to a length, so that none is 0. */
        private static final double EPSILON = 0x1p-23;

        private enum Axis { OUTPUT, INPUT }

        private Optional<Axis> axis(Shape weight) {
            Shape shape = lengths.shape();
            if (weight.rank() < 2) {
                return Optional.empty();
            }
            boolean row = shape.rank() > 1 && shape.dim(0) == 1 && perInput;
            if (shape.elements() == weight.dim(0) && !(row && weight.dim(0) > 1)) {
                return Optional.of(Axis.OUTPUT);
            }
            return row && shape.elements() == weight.dim(1) ? Optional.of(Axis.INPUT) : Optional.empty();
        }

        boolean fits(Shape weight) {
            return axis(weight).isPresent();
        }

        /** Whether they are of a weight of this shape, which they fit. */
        boolean isPerInput(Shape weight) {
            return axis(weight).orElseThrow() == Axis.INPUT;
        }

        /**
         * @param whole Δ
         * @param base W, whose rows must not be changed before they are asked for, or, with lengths per output, some
         *     of its rows
         * @param shape of W
         * @param weight w
         * @param place of a row of {@code base} in W
         */
        Rows rows(Rows whole, float[] base, Shape shape, SafetensorsFile file, double weight, IntUnaryOperator place) {
            float[] wanted = Rows.read(lengths, file);
            Rows change = whole.at(place);
            int columns = Math.toIntExact(shape.elements() / shape.dim(0));
            if (axis(shape).orElseThrow() == Axis.OUTPUT) {
                return (sum, row) -> {
                    float[] direction = changed(change, base, row, columns);
                    double squares = 0;
                    for (float value : direction) {
                        squares += (double) value * value;
                    }
                    float stretch = (float) (wanted[place.applyAsInt(row)] / (Math.sqrt(squares) + EPSILON));
                    for (int i = 0; i < columns; i++) {
                        sum[i] += (float) (weight * (stretch * direction[i] - base[row * columns + i]));
                    }
                };
            }
            int kernel = columns / wanted.length;
            float[] stretches = stretches(change, base, wanted, columns);
            return (sum, row) -> {
                float[] direction = changed(change, base, row, columns);
                for (int i = 0; i < columns; i++) {
                    sum[i] += (float) (weight * (stretches[i / kernel] * direction[i] - base[row * columns + i]));
                }
            };
        }

        /** m / ‖V‖ for each input; all of V is computed once more for it. */
        private static float[] stretches(Rows change, float[] base, float[] wanted, int columns) {
            double[] squares = new double[wanted.length];
            int kernel = columns / wanted.length;
            for (int row = 0; row < base.length / columns; row++) {
                float[] direction = changed(change, base, row, columns);
                for (int i = 0; i < columns; i++) {
                    squares[i / kernel] += (double) direction[i] * direction[i];
                }
            }
            float[] stretches = new float[wanted.length];
            for (int i = 0; i < stretches.length; i++) {
                stretches[i] = (float) (wanted[i] / (Math.sqrt(squares[i]) + EPSILON));
            }
            return stretches;
        }

        /** A row of V. */
        private static float[] changed(Rows change, float[] base, int row, int columns) {
            float[] sum = new float[columns];
            change.addTo(sum, row);
            for (int i = 0; i < columns; i++) {
                sum[i] += base[row * columns + i];
            }
            return sum;
        }
    }
}
