package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.util.List;
import java.util.Optional;

/** Writes small graphs down, one line a node. A node's name is that of its output. */
final class GraphBuilder {
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("test");

    /** A dimension is a number or a name. */
    GraphBuilder input(String name, ElementType element, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            shape.addDim(dim instanceof Integer size ? Dimension.newBuilder().setDimValue(size)
                : Dimension.newBuilder().setDimParam(dim.toString()));
        }
        graph.addInput(ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder()
            .setTensorType(TypeProto.Tensor.newBuilder().setElemType(element.code()).setShape(shape))));
        return this;
    }

    GraphBuilder weight(String name, Value value) {
        graph.addInitializer(value.proto(name));
        return this;
    }

    /** @param text such as {@code "c = Concat(a, b)"}, several outputs parted by commas */
    GraphBuilder node(String text, AttributeProto... attributes) {
        return node(text, "", attributes);
    }

    GraphBuilder node(String text, String domain, AttributeProto... attributes) {
        String[] sides = text.split(" = ");
        String call = sides[1];
        int open = call.indexOf('(');
        List<String> outputs = List.of(sides[0].split(", "));
        String inputs = call.substring(open + 1, call.length() - 1);
        NodeProto.Builder node = NodeProto.newBuilder().setOpType(call.substring(0, open)).setName(outputs.getFirst())
            .setDomain(domain).addAllOutput(outputs).addAllAttribute(List.of(attributes));
        if (!inputs.isEmpty()) {
            node.addAllInput(List.of(inputs.split(", ", -1)));
        }
        graph.addNode(node);
        return this;
    }

    GraphBuilder output(String... names) {
        for (String name : names) {
            graph.addOutput(ValueInfoProto.newBuilder().setName(name));
        }
        return this;
    }

    static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value).build();
    }

    static AttributeProto list(String name, Long... values) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS)
            .addAllInts(List.of(values)).build();
    }

    /** A branch of an If node. */
    static AttributeProto branch(String name, GraphBuilder inner) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.GRAPH)
            .setG(inner.graph.build()).build();
    }

    ModelProto model() {
        return ModelProto.newBuilder().setIrVersion(8).setGraph(graph)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17)).build();
    }

    Graph graph() {
        return GraphProtos.read(model(), Optional.empty());
    }
}
