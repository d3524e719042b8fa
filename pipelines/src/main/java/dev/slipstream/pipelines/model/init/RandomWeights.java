package dev.slipstream.pipelines.model.init;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.StoredType;
import java.util.SplittableRandom;

/**
 * Random weights under which numbers stay about as large as they come in: matrices and kernels have the variance
 * 1 / inputs, scales of norms are about 1, and biases about 0.
 *
 * @param type of what is stored: F32, F16 or BF16
 * @param seed the same seed gives a tensor of the same name the same values
 */
record RandomWeights(StoredType type, long seed) {
    private static final double SMALL = 0.02;

    StoredTensor tensor(String name, Shape shape) {
        boolean matrix = shape.rank() > 1;
        double mean = matrix || name.endsWith(".bias") ? 0 : 1;
        double deviation = matrix ? Math.sqrt((double) shape.dim(0) / shape.elements()) : SMALL;
        // An even distribution is as good here, and billions of numbers are wanted.
        double scale = deviation * Math.sqrt(3) / -(double) Integer.MIN_VALUE;
        SplittableRandom random = new SplittableRandom(seed * 31 + name.hashCode());
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + scale * random.nextInt());
        }
        return StoredTensor.of(type, shape, values);
    }
}
