package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;

/** Element types and shapes as ONNX files say them. */
final class OnnxTypes {
    private OnnxTypes() {
    }

    static int code(DataType type) {
        return switch (type) {
            case FLOAT32 -> TensorProto.DataType.FLOAT_VALUE;
            case FLOAT16 -> TensorProto.DataType.FLOAT16_VALUE;
            case BFLOAT16 -> TensorProto.DataType.BFLOAT16_VALUE;
            case INT64 -> TensorProto.DataType.INT64_VALUE;
            case INT32 -> TensorProto.DataType.INT32_VALUE;
            case BOOL -> TensorProto.DataType.BOOL_VALUE;
        };
    }

    static ValueInfoProto info(String name, Value value) {
        return ValueInfoProto.newBuilder().setName(name).setType(type(value)).build();
    }

    /** Open sizes keep their names; what is worked out of them is named by its formula. */
    static TypeProto type(Value value) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Dim dim : value.dims()) {
            if (dim.isKnown()) {
                shape.addDimBuilder().setDimValue(dim.size());
            } else {
                shape.addDimBuilder().setDimParam(dim.toString());
            }
        }
        return TypeProto.newBuilder().setTensorType(TypeProto.Tensor.newBuilder().setElemType(code(value.type()))
            .setShape(shape)).build();
    }
}
