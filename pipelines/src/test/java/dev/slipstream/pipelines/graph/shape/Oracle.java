package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.protobuf.ByteString;
import dev.slipstream.bridge.cpu.OnnxRuntime;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** ONNX Runtime, without its optimizations: what a model really computes. */
final class Oracle {
    private Oracle() {
    }

    static Map<String, Value> run(ModelProto model, Map<String, Value> inputs) throws OrtException {
        return run(model, inputs, OrtSession.SessionOptions.OptLevel.NO_OPT);
    }

    static Map<String, Value> run(ModelProto model, Map<String, Value> inputs,
        OrtSession.SessionOptions.OptLevel optimizations) throws OrtException {
        OrtEnvironment environment = OnnxRuntime.environment();
        Map<String, OnnxTensor> tensors = new HashMap<>();
        Map<String, Value> results = new LinkedHashMap<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(optimizations);
            options.setIntraOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            try (OrtSession session = environment.createSession(model.toByteArray(), options)) {
                for (Map.Entry<String, Value> input : inputs.entrySet()) {
                    tensors.put(input.getKey(), tensor(environment, input.getValue()));
                }
                try (OrtSession.Result result = session.run(tensors)) {
                    for (Map.Entry<String, OnnxValue> output : result) {
                        results.put(output.getKey(), value((OnnxTensor) output.getValue()));
                    }
                }
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
        return results;
    }

    private static OnnxTensor tensor(OrtEnvironment environment, Value value) throws OrtException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(value.bytes().size()).order(ByteOrder.nativeOrder());
        value.bytes().copyTo(bytes);
        OnnxJavaType type = switch (value.type().element()) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT64 -> OnnxJavaType.DOUBLE;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT64 -> OnnxJavaType.INT64;
            case INT32 -> OnnxJavaType.INT32;
            case INT16 -> OnnxJavaType.INT16;
            case INT8 -> OnnxJavaType.INT8;
            case UINT8 -> OnnxJavaType.UINT8;
            case BOOL -> OnnxJavaType.BOOL;
            case UINT16 -> throw new IllegalArgumentException("ONNX Runtime for Java has no uint16");
        };
        return OnnxTensor.createTensor(environment, bytes.flip(), value.type().dims(), type);
    }

    private static Value value(OnnxTensor tensor) {
        TensorInfo info = tensor.getInfo();
        ElementType element = switch (info.type) {
            case FLOAT -> ElementType.FLOAT32;
            case DOUBLE -> ElementType.FLOAT64;
            case FLOAT16, BFLOAT16, INT64, INT32, INT16, INT8, UINT8, BOOL -> ElementType.valueOf(info.type.name());
            case STRING, UNKNOWN -> throw new IllegalArgumentException("output of type " + info.type);
        };
        ByteBuffer bytes = tensor.getByteBuffer();
        ByteString copy = bytes == null ? ByteString.EMPTY : ByteString.copyFrom(bytes);
        return new Value(ValueType.of(element, info.getShape()), copy);
    }
}
