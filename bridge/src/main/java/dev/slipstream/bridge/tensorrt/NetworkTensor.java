package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Shape;
import java.lang.foreign.Arena;

/** TensorRT's {@code ITensor}, as an input of a network, which owns it. */
final class NetworkTensor {
    private final NetworkDefinition network;
    private final CppObject object;

    NetworkTensor(NetworkDefinition network, CppObject object) {
        this.network = network;
        this.object = object;
    }

    String name() {
        return CppObject.text(object().pointer(Method.GET_NAME));
    }

    /** Open dimensions are {@link Shape#UNKNOWN}. */
    Shape shape() {
        long mark = network.tensorRt().mark();
        return object().shape(Method.GET_DIMENSIONS)
            .orElseThrow(() -> network.failure(Method.GET_DIMENSIONS, "'" + name() + "'", mark));
    }

    /** The name that the graph gives a dimension; empty if it gives none. */
    String dimensionName(int index) {
        return CppObject.text(object().pointer(Method.GET_DIMENSION_NAME, index));
    }

    /** Fixes open dimensions. To be done before the network is built. */
    void setShape(Shape shape) {
        long mark = network.tensorRt().mark();
        try (Arena arena = Arena.ofConfined()) {
            object().run(Method.SET_DIMENSIONS, Dims.of(shape, arena));
        }
        network.check(shape().equals(shape), Method.SET_DIMENSIONS, "'" + name() + "' and " + shape, mark);
    }

    /** Whether its values decide shapes, so that it would have to lie in host memory. */
    boolean decidesShapes() {
        return object().bool(Method.IS_SHAPE_TENSOR);
    }

    private CppObject object() {
        network.object();
        return object;
    }
}
