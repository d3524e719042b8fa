package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.Graph;

/** Sizes of weights. */
final class Weights {
    private Weights() {
    }

    /** Bytes of all constant tensors of a graph, wherever they are stored, in the type in which they are stored. */
    static long bytes(Graph graph) {
        return graph.weights().values().stream().mapToLong(Weights::bytes).sum();
    }

    private static long bytes(TensorProto tensor) {
        long elements = tensor.getDimsList().stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        int width = switch (tensor.getDataType()) {
            case TensorProto.DataType.DOUBLE_VALUE, TensorProto.DataType.INT64_VALUE,
                TensorProto.DataType.UINT64_VALUE -> 8;
            case TensorProto.DataType.FLOAT16_VALUE, TensorProto.DataType.BFLOAT16_VALUE,
                TensorProto.DataType.INT16_VALUE, TensorProto.DataType.UINT16_VALUE -> 2;
            case TensorProto.DataType.INT8_VALUE, TensorProto.DataType.UINT8_VALUE,
                TensorProto.DataType.BOOL_VALUE -> 1;
            default -> 4;
        };
        return elements * width;
    }
}
