package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
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
public final class OnnxParser extends NativeObject {
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
    public boolean parse(MemorySegment onnx, Optional<Path> weightFolder) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = weightFolder
                .map(folder -> arena.allocateFrom(folder.toAbsolutePath().resolve(MODEL).toString()))
                .orElse(MemorySegment.NULL);
            return object().bool(Method.PARSE, onnx, onnx.byteSize(), path);
        }
    }

    /** Whether there is a converter for an operator of ONNX. */
    public boolean supports(String operator) {
        try (Arena arena = Arena.ofConfined()) {
            return object().bool(Method.SUPPORTS_OPERATOR, arena.allocateFrom(operator));
        }
    }

    public List<Problem> errors() {
        return IntStream.range(0, object().int32(Method.COUNT_ERRORS)).mapToObj(this::error).toList();
    }

    public void clearErrors() {
        object().run(Method.CLEAR_ERRORS);
    }

    private Problem error(int index) {
        long mark = tensorRt().mark();
        return Problem.read(
            made(Method.GET_ERROR, object().pointer(Method.GET_ERROR, index), CppClass.PARSER_ERROR, mark));
    }

    /**
     * What the ONNX parser objects to.
     *
     * @param code the parser's number for the kind of error
     * @param node index of the node in the graph, or -1
     * @param nodeName its name; empty if it has none
     * @param operator its operator; empty if it is not about a node
     */
    public record Problem(int code, String description, int node, String nodeName, String operator) {
        private static Problem read(CppObject error) {
            return new Problem(error.int32(Method.ERROR_CODE), CppObject.text(error.pointer(Method.ERROR_DESCRIPTION)),
                error.int32(Method.ERROR_NODE), CppObject.text(error.pointer(Method.ERROR_NODE_NAME)),
                CppObject.text(error.pointer(Method.ERROR_NODE_OPERATOR)));
        }

        /** Like {@code node 3 '/up/Conv' (Conv): …}. */
        @Override
        public String toString() {
            if (node < 0) {
                return description + " (code " + code + ")";
            }
            return "node " + node + (nodeName.isEmpty() ? "" : " '" + nodeName + "'")
                + (operator.isEmpty() ? "" : " (" + operator + ")") + ": " + description;
        }
    }
}
