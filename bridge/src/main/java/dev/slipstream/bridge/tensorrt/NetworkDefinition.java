package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** TensorRT's {@code INetworkDefinition}: the graph to build, filled by an {@link OnnxParser}. */
final class NetworkDefinition extends NativeObject {
    NetworkDefinition(EngineBuilder builder, CppObject object) {
        super(builder.tensorRt(), object, Optional.of(builder));
    }

    /**
     * A parser that adds to this network. It owns the weights that it adds, so it is closed after the network was
     * built (NVIDIA's developer guide: the parser must not be deleted before the builder has run), and before the
     * network is closed.
     */
    OnnxParser createParser() {
        return new OnnxParser(this, tensorRt().createParser(address()));
    }

    int layers() {
        return object().int32(Method.COUNT_LAYERS);
    }

    int outputs() {
        return object().int32(Method.COUNT_OUTPUTS);
    }

    /** In the graph's order. */
    List<NetworkTensor> inputs() {
        return IntStream.range(0, object().int32(Method.COUNT_INPUTS)).mapToObj(this::input).toList();
    }

    private NetworkTensor input(int index) {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.GET_INPUT, index);
        return new NetworkTensor(this, made(Method.GET_INPUT, address, CppClass.TENSOR, mark));
    }
}
