package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Dims;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** TensorRT's {@code INetworkDefinition}: the graph to build, filled by an {@link OnnxParser}. */
public final class NetworkDefinition extends NativeObject {
    NetworkDefinition(EngineBuilder builder, CppObject object) {
        super(builder.tensorRt(), object, Optional.of(builder));
    }

    /**
     * A parser that adds to this network. It owns the weights that it adds, so it is closed after the network was
     * built (NVIDIA's developer guide: the parser must not be deleted before the builder has run), and before the
     * network is closed.
     */
    public OnnxParser createParser() {
        return new OnnxParser(this, tensorRt().createParser(address()));
    }

    public int layers() {
        return object().int32(Method.COUNT_LAYERS);
    }

    public int outputs() {
        return object().int32(Method.COUNT_OUTPUTS);
    }

    /** In the graph's order. */
    public List<Input> inputs() {
        return IntStream.range(0, object().int32(Method.COUNT_INPUTS)).mapToObj(this::input).toList();
    }

    private Input input(int index) {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.GET_INPUT, index);
        return new Input(made(Method.GET_INPUT, address, CppClass.TENSOR, mark));
    }

    /** TensorRT's {@code ITensor}, as an input of the network, which owns it. */
    public final class Input {
        private final CppObject object;

        private Input(CppObject object) {
            this.object = object;
        }

        public String name() {
            return CppObject.text(open().pointer(Method.GET_NAME));
        }

        /** Open dimensions are {@link Shape#UNKNOWN}. */
        public Shape shape() {
            long mark = tensorRt().mark();
            return open().shape(Method.GET_DIMENSIONS)
                .orElseThrow(() -> failure(Method.GET_DIMENSIONS, "'" + name() + "'", mark));
        }

        /** The name that the graph gives a dimension; empty if it gives none. */
        public String dimensionName(int index) {
            return CppObject.text(open().pointer(Method.GET_DIMENSION_NAME, index));
        }

        /** Fixes open dimensions. To be done before the network is built. */
        public void setShape(Shape shape) {
            long mark = tensorRt().mark();
            try (Arena arena = Arena.ofConfined()) {
                open().run(Method.SET_DIMENSIONS, Dims.of(shape, arena));
            }
            check(shape().equals(shape), Method.SET_DIMENSIONS, "'" + name() + "' and " + shape, mark);
        }

        /** Whether its values decide shapes, so that it would have to lie in host memory. */
        public boolean decidesShapes() {
            return open().bool(Method.IS_SHAPE_TENSOR);
        }

        private CppObject open() {
            NetworkDefinition.this.object();
            return object;
        }
    }
}
