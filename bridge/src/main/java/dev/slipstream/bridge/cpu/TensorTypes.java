package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import java.util.Optional;

/** Between ONNX Runtime's tensor types and ours. */
final class TensorTypes {
    private TensorTypes() {
    }

    /** Our type; empty if we have none for its elements. */
    static Optional<TensorType> fromOnnx(TensorInfo info) {
        DataType type = switch (info.type) {
            case FLOAT -> DataType.FLOAT32;
            case FLOAT16 -> DataType.FLOAT16;
            case BFLOAT16 -> DataType.BFLOAT16;
            case INT64 -> DataType.INT64;
            case INT32 -> DataType.INT32;
            case BOOL -> DataType.BOOL;
            default -> null;
        };
        return Optional.ofNullable(type).map(known -> new TensorType(known, Shape.of(info.getShape())));
    }

    static OnnxJavaType toOnnx(DataType type) {
        return switch (type) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT64 -> OnnxJavaType.INT64;
            case INT32 -> OnnxJavaType.INT32;
            case BOOL -> OnnxJavaType.BOOL;
        };
    }
}
