package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.TensorSizes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
}
