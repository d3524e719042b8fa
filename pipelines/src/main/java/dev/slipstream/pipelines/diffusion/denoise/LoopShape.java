package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.Map;

/**
 * The sizes that a denoiser is fixed to.
 *
 * @param latents {@code [batch, channels, height, width]} float32
 * @param extraChannels channels that the denoiser takes beside the latents (a mask, an image)
 * @param guided whether each latent is predicted twice, unconditionally and conditionally
 * @param conditions types of the inputs that stay the same during a loop; first dimension: the batch, twice if guided
 */
public record LoopShape(TensorType latents, long extraChannels, boolean guided, Map<String, TensorType> conditions) {
    public LoopShape {
        conditions = Map.copyOf(conditions);
        long rows = latents.shape().dim(0) * (guided ? 2 : 1);
        conditions.forEach((name, type) -> {
            if (type.shape().rank() == 0 || type.shape().dim(0) != rows) {
                throw new IllegalArgumentException("condition '" + name + "' is " + type + ", but its first dimension "
                    + "must be " + rows + ", one a row of the batch");
            }
        });
    }

    /** Pictures that are drawn together. */
    public int batch() {
        return Math.toIntExact(latents.shape().dim(0));
    }

    /** Rows of the batch that a stage computes; a strategy may give each guidance branch stages of its own. */
    long rows(Strategy strategy) {
        return latents.shape().dim(0) * (guided && !strategy.splitsGuidance() ? 2 : 1);
    }

    /** The sample for this many rows. */
    TensorType sample(long rows) {
        Shape shape = latents.shape();
        return TensorType.of(DataType.FLOAT32, rows, shape.dim(1) + extraChannels, shape.dim(2), shape.dim(3));
    }

    public static TensorType withRows(TensorType type, long rows) {
        long[] dims = type.shape().toArray();
        dims[0] = rows;
        return new TensorType(type.type(), Shape.of(dims));
    }
}
