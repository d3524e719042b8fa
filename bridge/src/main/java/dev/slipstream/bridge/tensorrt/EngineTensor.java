package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Shape;
import java.util.Optional;

/**
 * An input or output of an engine, as TensorRT describes it.
 *
 * @param type TensorRT's number of the element type
 * @param shape with {@link Shape#UNKNOWN} for open dimensions
 * @param onDevice whether it lies in the device's memory, not in the host's
 * @param range for inputs with open dimensions: which shapes they may have
 */
record EngineTensor(String name, boolean input, int type, Shape shape, boolean onDevice, Optional<Range> range) {
    /** From the smallest to the largest shape of an input, dimension by dimension. */
    record Range(Shape least, Shape most) {
        boolean contains(Shape shape) {
            if (shape.rank() != least.rank()) {
                return false;
            }
            for (int dim = 0; dim < shape.rank(); dim++) {
                if (shape.dim(dim) < least.dim(dim) || shape.dim(dim) > most.dim(dim)) {
                    return false;
                }
            }
            return true;
        }
    }
}
