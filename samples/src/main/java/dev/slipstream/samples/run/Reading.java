package dev.slipstream.samples.run;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.pipelines.model.StoredType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** How a named output is read out of a tensor of the graph. */
enum Reading {
    /** As it is. */
    WHOLE {
        @Override
        Shape shape(Shape tensor) {
            return tensor;
        }

        @Override
        StoredTensor read(TensorType type, MemorySegment bytes) {
            StoredType stored = Arrays.stream(StoredType.values())
                .filter(it -> it.dataType().filter(type.type()::equals).isPresent()).findFirst().orElseThrow();
            return new StoredTensor(stored, type.shape(), bytes);
        }
    },
    /** The means of {@code latent_parameters}: the first half of the channels. */
    MEAN {
        @Override
        StoredTensor read(TensorType type, MemorySegment bytes) {
            return half(type, bytes, 0);
        }
    },
    /** The logarithms of the variances of {@code latent_parameters}: the second half, within diffusers' limits. */
    LOG_VARIANCE {
        @Override
        StoredTensor read(TensorType type, MemorySegment bytes) {
            StoredTensor half = half(type, bytes, 1);
            float[] values = half.toFloats();
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.clamp(values[i], LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE);
            }
            return StoredTensor.of(half.shape(), values);
        }
    };

    private static final float LEAST_LOG_VARIANCE = -30;
    private static final float MOST_LOG_VARIANCE = 20;

    /** The shape of what is read. */
    Shape shape(Shape tensor) {
        long[] dims = tensor.toArray();
        dims[1] /= 2;
        return Shape.of(dims);
    }

    /** @param bytes of the tensor; what is read may be a view of them */
    abstract StoredTensor read(TensorType type, MemorySegment bytes);

    /** @param type float32[rows, channels, ...] */
    StoredTensor half(TensorType type, MemorySegment bytes, int which) {
        Shape shape = shape(type.shape());
        long rows = shape.dim(0);
        int each = Math.toIntExact(shape.elements() / rows);
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(bytes, ValueLayout.JAVA_FLOAT, (2L * row + which) * each * Float.BYTES, values,
                row * each, each);
        }
        return StoredTensor.of(shape, values);
    }
}
