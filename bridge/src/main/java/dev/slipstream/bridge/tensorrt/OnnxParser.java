package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * TensorRT's {@code nvonnxparser::IParser}. It copies the weights of the graphs that it reads, and the network points
 * to these copies: closing it before the network was built leaves the builder with freed memory.
 */
final class OnnxParser extends NativeObject {
    /** Only the folder matters: external weights are looked for beside the file, which is not read itself. */
    private static final String MODEL = "model.onnx";

    OnnxParser(NetworkDefinition network, CppObject object) {
        super(network.tensorRt(), object, Optional.of(network));
    }

    /**
     * Adds a graph to the network. What was wrong is in {@link #errors}.
     *
     * @param onnx a serialised graph in native memory, which may be freed afterwards
     * @param weightFolder what the graph's external weights are relative to
     * @return whether all of it could be added
     */
    boolean parse(MemorySegment onnx, Optional<Path> weightFolder) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = weightFolder
                .map(folder -> arena.allocateFrom(folder.toAbsolutePath().resolve(MODEL).toString()))
                .orElse(MemorySegment.NULL);
            return object().bool(Method.PARSE, onnx, onnx.byteSize(), path);
        }
    }

    /** Whether there is a converter for an operator of ONNX. */
    boolean supports(String operator) {
        try (Arena arena = Arena.ofConfined()) {
            return object().bool(Method.SUPPORTS_OPERATOR, arena.allocateFrom(operator));
        }
    }

    List<ParserError> errors() {
        return IntStream.range(0, object().int32(Method.COUNT_ERRORS)).mapToObj(this::error).toList();
    }

    void clearErrors() {
        object().run(Method.CLEAR_ERRORS);
    }

    private ParserError error(int index) {
        long mark = tensorRt().mark();
        return ParserError.read(
            made(Method.GET_ERROR, object().pointer(Method.GET_ERROR, index), CppClass.PARSER_ERROR, mark));
    }
}
