package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The inside of an If node whose condition is known, to be put in its place. torch.onnx exports {@code squeeze} of a
 * dimension that may not be 1 like that.
 */
record TakenBranch(List<NodeProto> nodes, Map<String, TensorProto> weights) {
    /**
     * @param isTaken whether a tensor name is used outside already; the branch's own name is changed then
     */
    static TakenBranch of(NodeProto node, boolean condition, Predicate<String> isTaken) {
        String side = condition ? "then_branch" : "else_branch";
        GraphProto inner = Nodes.attribute(node, side).orElseThrow(() -> new GraphException(
            "node " + Nodes.label(node) + " (If) has no " + side)).getG();
        if (inner.getOutputCount() != node.getOutputCount()) {
            throw new GraphException("node " + Nodes.label(node) + " (If) has " + node.getOutputCount()
                + " outputs, but its " + side + " has " + inner.getOutputCount());
        }
        Set<String> made = madeInside(node, inner);
        Renaming renaming = new Renaming();
        for (String name : made) {
            if (isTaken.test(name)) {
                renaming.put(name, unused(Nodes.label(node) + "/" + name, isTaken));
            }
        }
        Map<String, TensorProto> weights = new HashMap<>();
        inner.getInitializerList().forEach(weight -> {
            String name = renaming.of(weight.getName());
            weights.put(name, weight.toBuilder().setName(name).build());
        });
        List<NodeProto> nodes = new ArrayList<>();
        inner.getNodeList().forEach(own -> nodes.add(renaming.apply(own)));
        for (int i = 0; i < node.getOutputCount(); i++) {
            if (!node.getOutput(i).isEmpty()) {
                String result = node.getOutput(i);
                nodes.add(NodeProto.newBuilder().setOpType("Identity").setName(Nodes.label(node) + "/output_" + i)
                    .addInput(renaming.of(inner.getOutput(i).getName())).addOutput(result).build());
            }
        }
        return new TakenBranch(nodes, weights);
    }

    /** Names of what the branch makes. @throws GraphException if one is made twice, or read before it is made */
    private static Set<String> madeInside(NodeProto node, GraphProto inner) {
        Set<String> made = new LinkedHashSet<>();
        inner.getInitializerList().forEach(weight -> made.add(weight.getName()));
        Set<String> later = new HashSet<>();
        inner.getNodeList().forEach(own -> later.addAll(Nodes.writes(own)));
        for (NodeProto own : inner.getNodeList()) {
            boolean early = Nodes.reads(own).stream().anyMatch(name -> later.contains(name) && !made.contains(name));
            if (early || !Nodes.writes(own).stream().allMatch(made::add)) {
                throw new GraphException("inside node " + Nodes.label(node) + " (If), node " + Nodes.label(own)
                    + (early ? " reads what is made only after it" : " makes what is there already"));
            }
        }
        return made;
    }

    private static String unused(String wish, Predicate<String> isTaken) {
        String name = wish;
        for (int i = 2; isTaken.test(name); i++) {
            name = wish + "_" + i;
        }
        return name;
    }
}
