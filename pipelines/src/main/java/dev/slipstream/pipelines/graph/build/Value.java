package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A tensor of a graph that is being written.
 *
 * @param name unique in its graph
 * @param type element type
 * @param dims shape, outermost first
 */
public record Value(String name, DataType type, List<Dim> dims) {
    /** Stands for an optional input of an operator that is left out. */
    static final Value ABSENT = new Value("", DataType.FLOAT32, List.of());

    public Value {
        dims = List.copyOf(dims);
    }

    public int rank() {
        return dims.size();
    }

    /** @param axis negative ones count from the end */
    public Dim dim(int axis) {
        return dims.get(axis < 0 ? axis + dims.size() : axis);
    }

    /** The size along an axis that is known. @throws IllegalStateException if it is open */
    public long size(int axis) {
        return dim(axis).size();
    }

    /** The value as ONNX files declare it. Open sizes keep their names; what is worked out is named by its formula. */
    ValueInfoProto info(String declaredName) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Dim dim : dims) {
            if (dim.isKnown()) {
                shape.addDimBuilder().setDimValue(dim.size());
            } else {
                shape.addDimBuilder().setDimParam(dim.toString());
            }
        }
        return ValueInfoProto.newBuilder().setName(declaredName).setType(TypeProto.newBuilder().setTensorType(
            TypeProto.Tensor.newBuilder().setElemType(ElementType.of(type).code()).setShape(shape))).build();
    }

    static String describe(DataType type, List<Dim> dims) {
        return type.name().toLowerCase(Locale.ROOT) + dims;
    }

    static List<Dim> dims(long... sizes) {
        return Arrays.stream(sizes).mapToObj(Dim::of).toList();
    }

    @Override
    public String toString() {
        return describe(type, dims);
    }
}
