package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Questions to one node. */
public final class Nodes {
    private Nodes() {
    }

    /** Tensors that a node reads: its inputs that are given, and what its inner graphs (If, Loop) take from outside. */
    public static List<String> reads(NodeProto node) {
        List<String> given = named(node.getInputList());
        if (!hasInnerGraphs(node)) {
            return given;
        }
        List<String> names = new ArrayList<>(given);
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.hasG()) {
                names.addAll(captured(attribute.getG()));
            }
            attribute.getGraphsList().forEach(inner -> names.addAll(captured(inner)));
        }
        return names;
    }

    private static boolean hasInnerGraphs(NodeProto node) {
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.hasG() || attribute.getGraphsCount() > 0) {
                return true;
            }
        }
        return false;
    }

    /** Those that have a name: mostly all, which are not copied, as every walk through a graph asks for them. */
    private static List<String> named(List<String> tensors) {
        for (String tensor : tensors) {
            if (tensor.isEmpty()) {
                return tensors.stream().filter(name -> !name.isEmpty()).toList();
            }
        }
        return tensors;
    }

    private static List<String> captured(GraphProto inner) {
        Set<String> own = new HashSet<>();
        inner.getInputList().forEach(input -> own.add(input.getName()));
        inner.getInitializerList().forEach(weight -> own.add(weight.getName()));
        inner.getNodeList().forEach(node -> own.addAll(node.getOutputList()));
        List<String> taken = new ArrayList<>();
        inner.getNodeList().forEach(node -> taken.addAll(reads(node)));
        inner.getOutputList().forEach(output -> taken.add(output.getName()));
        taken.removeIf(own::contains);
        return taken;
    }

    /** Tensors that a node makes; optional outputs that are left out have no name and are not listed. */
    public static List<String> writes(NodeProto node) {
        return named(node.getOutputList());
    }

    public static Optional<AttributeProto> attribute(NodeProto node, String name) {
        return node.getAttributeList().stream().filter(attribute -> attribute.getName().equals(name)).findFirst();
    }

    public static long integer(NodeProto node, String name, long otherwise) {
        return attribute(node, name).map(AttributeProto::getI).orElse(otherwise);
    }

    public static List<Long> integers(NodeProto node, String name) {
        return attribute(node, name).map(AttributeProto::getIntsList).orElse(List.of());
    }

    /** What an error calls the node: its name, or its operator and first output. */
    public static String label(NodeProto node) {
        if (!node.getName().isEmpty()) {
            return node.getName();
        }
        return node.getOpType() + " making " + (node.getOutputCount() == 0 ? "nothing" : node.getOutput(0));
    }

    public static boolean isStandard(NodeProto node) {
        return node.getDomain().isEmpty() || node.getDomain().equals("ai.onnx");
    }

    /**
     * Whether it is this standard operator, with what a rewrite of it asks for: damaged files have nodes that lack it.
     *
     * @param inputs the least number of inputs
     */
    public static boolean is(NodeProto node, String operator, int inputs) {
        return isStandard(node) && node.getOpType().equals(operator) && node.getInputCount() >= inputs
            && node.getOutputCount() > 0;
    }
}
