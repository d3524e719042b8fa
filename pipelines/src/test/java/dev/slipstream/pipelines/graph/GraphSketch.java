package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Writes small models by hand. Every node makes one tensor; a negative dimension is the open one, "batch". */
public final class GraphSketch {
    final GraphProto.Builder graph = GraphProto.newBuilder().setName("sketch");

    public GraphSketch input(String name, long... dims) {
        graph.addInput(info(name, DataType.FLOAT_VALUE, dims));
        return this;
    }

    /** @param type number of the element type, as ONNX files have it */
    public GraphSketch typedInput(String name, int type, long dim) {
        graph.addInput(info(name, type, dim));
        return this;
    }

    public GraphSketch output(String name, long... dims) {
        graph.addOutput(info(name, DataType.FLOAT_VALUE, dims));
        return this;
    }

    public GraphSketch weight(String name, float[] values, long... dims) {
        TensorProto.Builder weight = TensorProto.newBuilder().setName(name).setDataType(DataType.FLOAT_VALUE);
        for (long dim : dims) {
            weight.addDims(dim);
        }
        for (float value : values) {
            weight.addFloatData(value);
        }
        graph.addInitializer(weight);
        return this;
    }

    public GraphSketch weight(TensorProto weight) {
        graph.addInitializer(weight);
        return this;
    }

    /** @param name also names the node, so that a module path can be read off it */
    public GraphSketch node(String op, String name, List<String> inputs, String output, AttributeProto... attributes) {
        graph.addNode(NodeProto.newBuilder().setOpType(op).setName(name).addAllInput(inputs).addOutput(output)
            .addAllAttribute(List.of(attributes)));
        return this;
    }

    /** The same nodes in an order by chance; a graph puts them in one in which they can run. */
    public GraphSketch shuffled(Random random) {
        List<NodeProto> nodes = new ArrayList<>(graph.getNodeList());
        Collections.shuffle(nodes, random);
        graph.clearNode().addAllNode(nodes);
        return this;
    }

    public List<NodeProto> nodes() {
        return graph.getNodeList();
    }

    public GraphSketch node(NodeProto node) {
        graph.addNode(node);
        return this;
    }

    public static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value).build();
    }

    static ValueInfoProto info(String name, int elementType, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dim : dims) {
            shape.addDim(dim < 0 ? Dimension.newBuilder().setDimParam("batch")
                : Dimension.newBuilder().setDimValue(dim));
        }
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(
            TypeProto.Tensor.newBuilder().setElemType(elementType).setShape(shape))).build();
    }

    public ModelProto model() {
        return ModelProto.newBuilder().setIrVersion(8).setGraph(graph)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17)).build();
    }

    public Graph build() {
        return GraphProtos.read(model(), Optional.empty());
    }
}
