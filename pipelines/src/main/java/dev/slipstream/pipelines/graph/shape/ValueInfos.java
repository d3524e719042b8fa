package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;

/** Declarations of tensors as ONNX files have them. */
public final class ValueInfos {
    private ValueInfos() {
    }

    /** The declaration of a tensor. @param type all its dimensions are known */
    public static ValueInfoProto of(String name, TensorType type) {
        return declare(name, ValueType.of(type));
    }

    static ValueInfoProto declare(String name, ValueType type) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dim : type.dims()) {
            shape.addDim(Dimension.newBuilder().setDimValue(dim));
        }
        TypeProto.Tensor tensor = TypeProto.Tensor.newBuilder().setElemType(type.element().code()).setShape(shape)
            .build();
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(tensor)).build();
    }
}
