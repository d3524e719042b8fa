package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashMap;
import java.util.Map;

/** New names for tensors, wherever a node reads or makes them, also inside its inner graphs. */
public final class Renaming {
    private final Map<String, String> names = new HashMap<>();

    public void put(String from, String to) {
        names.put(from, to);
    }

    /** The name that a tensor has in the end; renaming to a name that is itself renamed is followed. */
    public String of(String name) {
        String current = name;
        while (names.containsKey(current)) {
            current = names.get(current);
        }
        return current;
    }

    public NodeProto apply(NodeProto node) {
        if (names.isEmpty()) {
            return node;
        }
        NodeProto.Builder renamed = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            renamed.setInput(i, of(node.getInput(i)));
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            renamed.setOutput(i, of(node.getOutput(i)));
        }
        for (int i = 0; i < node.getAttributeCount(); i++) {
            AttributeProto attribute = node.getAttribute(i);
            if (attribute.hasG() || attribute.getGraphsCount() > 0) {
                renamed.setAttribute(i, apply(attribute));
            }
        }
        return renamed.build();
    }

    private AttributeProto apply(AttributeProto attribute) {
        AttributeProto.Builder renamed = attribute.toBuilder();
        if (attribute.hasG()) {
            renamed.setG(apply(attribute.getG()));
        }
        for (int i = 0; i < attribute.getGraphsCount(); i++) {
            renamed.setGraphs(i, apply(attribute.getGraphs(i)));
        }
        return renamed.build();
    }

    private GraphProto apply(GraphProto inner) {
        GraphProto.Builder renamed = inner.toBuilder();
        for (int i = 0; i < inner.getNodeCount(); i++) {
            renamed.setNode(i, apply(inner.getNode(i)));
        }
        for (int i = 0; i < inner.getOutputCount(); i++) {
            ValueInfoProto output = inner.getOutput(i);
            renamed.setOutput(i, output.toBuilder().setName(of(output.getName())));
        }
        return renamed.build();
    }
}
