package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.Renaming;
import dev.slipstream.pipelines.graph.TensorSizes;
import dev.slipstream.pipelines.graph.shape.rule.ConstantFolding;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.shape.rule.ShapeRule;
import dev.slipstream.pipelines.graph.shape.rule.ShapeRules;
import dev.slipstream.pipelines.graph.shape.rule.TypedNode;
import dev.slipstream.pipelines.graph.shape.rule.UnknownTypeException;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * One walk over a graph with known inputs, in which types and small constants spread from node to node. If nodes whose
 * condition turns out to be constant are replaced by what is inside on the way.
 */
final class Propagation {
    private final KnownValues known;
    private final Set<String> names = new HashSet<>();
    private final List<NodeProto> nodes = new ArrayList<>();

    private Propagation(Graph graph) {
        known = new KnownValues(graph);
        names.addAll(graph.weights().keySet());
        graph.inputs().forEach(input -> names.add(input.getName()));
        graph.nodes().forEach(node -> names.addAll(Nodes.writes(node)));
    }

    /** @throws GraphException if the inputs' types do not fit the graph, or a node's inputs do not fit the node */
    static Propagation through(Graph graph, Map<String, TensorType> inputs) {
        InputTypes.check(graph, inputs);
        Propagation walk = new Propagation(graph);
        inputs.forEach((name, type) -> walk.known.putType(name, ValueType.of(type)));
        graph.nodes().forEach(walk::visit);
        return walk;
    }

    KnownValues known() {
        return known;
    }

    /** The graph's nodes, with branches that are taken in place of If nodes. */
    List<NodeProto> nodes() {
        return nodes;
    }

    private void visit(NodeProto node) {
        try {
            Optional<Boolean> condition = isOperator(node, "If") ? condition(node) : Optional.empty();
            if (condition.isPresent()) {
                visitBranch(TakenBranch.of(node, condition.get(), names::contains));
                return;
            }
            nodes.add(node);
            if (isOperator(node, "Constant")) {
                visitConstant(node);
            } else {
                infer(new TypedNode(node, known));
            }
        } catch (UnknownTypeException reason) {
            Nodes.writes(node).forEach(output -> known.putUnknown(output, reason.getMessage()));
        } catch (GraphException said) {
            throw said;
        } catch (RuntimeException damaged) {
            // Rules check what exporters get wrong; whatever else a damaged file holds must at least name its node.
            throw new GraphException("node " + Nodes.label(node) + " (" + node.getOpType()
                + ") has attributes or inputs that make no sense: " + damaged.getMessage(), damaged);
        }
    }

    private void visitBranch(TakenBranch branch) {
        branch.weights().forEach(known::putWeight);
        names.addAll(branch.weights().keySet());
        branch.nodes().forEach(inner -> names.addAll(Nodes.writes(inner)));
        branch.nodes().forEach(this::visit);
    }

    private Optional<Boolean> condition(NodeProto node) {
        return known.constant(node.getInput(0)).filter(value -> value.type().elements() == 1)
            .map(value -> value.word(0) != 0);
    }

    private void visitConstant(NodeProto node) {
        Optional<TensorProto> tensor = ConstantProtos.ofConstantNode(node);
        tensor.ifPresentOrElse(value -> known.putWeight(node.getOutput(0), value), () ->
            known.putUnknown(node.getOutput(0), "node " + Nodes.label(node) + " holds no dense numbers"));
    }

    private void infer(TypedNode node) {
        NodeProto proto = node.proto();
        ShapeRule rule = ShapeRules.of(proto).orElseThrow(() -> node.unknown(isOperator(proto, "If")
            ? "which branch it takes is not known before the graph runs"
            : "shapes through operator " + operator(proto) + " are not known"));
        List<ValueType> types = rule.outputs(node);
        for (int i = 0; i < proto.getOutputCount(); i++) {
            String output = proto.getOutput(i);
            if (output.isEmpty()) {
                continue;
            }
            if (i >= types.size()) {
                known.putUnknown(output, node + ": the shape of its output " + i + " is not known");
                continue;
            }
            ValueType type = types.get(i);
            TensorSizes.complaint(type.dims()).ifPresent(complaint -> {
                throw node.invalid("its output '" + output + "' " + complaint);
            });
            Optional<Constant> value = known.hasRoom(type) ? ConstantFolding.fold(node, type, i) : Optional.empty();
            known.putType(output, type);
            value.ifPresent(constant -> known.putConstant(output, constant));
        }
    }

    private static String operator(NodeProto node) {
        return node.getDomain().isEmpty() ? node.getOpType() : node.getDomain() + "." + node.getOpType();
    }

    private static boolean isOperator(NodeProto node, String operator) {
        return Nodes.isStandard(node) && node.getOpType().equals(operator);
    }

    /**
     * The inside of an If node whose condition is known, to be put in its place. torch.onnx exports {@code squeeze} of
     * a dimension that may not be 1 like that.
     */
    private record TakenBranch(List<NodeProto> nodes, Map<String, TensorProto> weights) {
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
                boolean early = Nodes.reads(own).stream()
                    .anyMatch(name -> later.contains(name) && !made.contains(name));
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
}
