package dev.slipstream.pipelines.model.kind;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An output of a graph under the name by which people ask for it.
 *
 * @param tensor the graph's output that it is read from
 */
public record NamedOutput(String name, String tensor, Reading reading) {
    /** An output that has the graph's own name. */
    public static NamedOutput of(String name) {
        return new NamedOutput(name, name, Reading.WHOLE);
    }

    /** How the output is computed from a tensor of the graph. */
    public enum Reading {
        /** The whole tensor. */
        WHOLE {
            @Override
            public Shape shape(Shape tensor) {
                return tensor;
            }

            @Override
            public StoredTensor read(TensorType type, MemorySegment bytes) {
                return new StoredTensor(StoredType.of(type.type()), type.shape(), bytes);
            }
        },
        /** The means of {@code latent_parameters}: the first half of the channels. */
        MEAN {
            @Override
            public StoredTensor read(TensorType type, MemorySegment bytes) {
                return half(type, bytes, 0);
            }
        },
        /** The logarithms of the variances of {@code latent_parameters}: the second half, within diffusers' limits. */
        LOG_VARIANCE {
            @Override
            public StoredTensor read(TensorType type, MemorySegment bytes) {
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
        public Shape shape(Shape tensor) {
            long[] dims = tensor.toArray();
            dims[1] /= 2;
            return Shape.of(dims);
        }

        /** @param bytes of the tensor; what is read may be a view of them */
        public abstract StoredTensor read(TensorType type, MemorySegment bytes);

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
}
