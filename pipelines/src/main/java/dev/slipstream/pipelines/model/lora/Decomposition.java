package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.SafetensorsFile;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import java.util.Optional;

/**
 * DoRA: the changed weight {@code V = W + Δ} gives directions only, and their lengths are trained ones: {@code
 * m · V / ‖V‖}. A LoRA that is wanted in part, by {@code w}, adds {@code w · (m · V / ‖V‖ - W)}, as ComfyUI has it;
 * PEFT would scale Δ alone, so that of a DoRA by 0 the lengths would stay. With several LoRAs, W is the weight without
 * any, so that their order means nothing.
 *
 * <p>Source: Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", arXiv 2402.09353; lengths per input: LyCORIS.
 *
 * @param lengths one for each output or, in files of LyCORIS, for each input
 * @param perInput whether they may be per input: [1, inputs, ...]
 */
public record Decomposition(Factor lengths, boolean perInput) {
    /** What LyCORIS adds to a length, so that none is 0. */
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

    /**
     * @param change Δ
     * @param base W, whose rows must still be what they were when one is asked for
     * @param weight w
     */
    Rows rows(Rows change, float[] base, Shape shape, SafetensorsFile file, double weight) {
        float[] wanted = Rows.read(lengths, file);
        int columns = base.length / (int) shape.dim(0);
        if (axis(shape).orElseThrow() == Axis.OUTPUT) {
            return (sum, row) -> {
                float[] direction = changed(change, base, row, columns);
                double squares = 0;
                for (float value : direction) {
                    squares += (double) value * value;
                }
                float stretch = (float) (wanted[row] / (Math.sqrt(squares) + EPSILON));
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

    /** m / ‖V‖ of each input, for which all of V is computed once more. */
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
