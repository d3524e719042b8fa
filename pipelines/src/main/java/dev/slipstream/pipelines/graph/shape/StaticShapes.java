package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes the graph for one choice of input shapes, in which only the real work is left. */
public final class StaticShapes {
    private StaticShapes() {
    }

    /**
     * The same computation for exactly these inputs. All that only depends on shapes is folded into constants, so that
     * every Reshape, Slice, Expand and Resize has constant operands; If nodes with a constant condition are replaced by
     * the branch that is taken; copies, and nodes and weights that nothing needs, are gone.
     *
     * <p>Results are the same bit for bit, given the same kernels. All inputs and outputs keep their names, and
     * {@link Graph#types} of the result has the type of every input and of every node's output.
     *
     * @param inputs type of each graph input, all dimensions known; see {@link InputTypes}
     * @throws dev.slipstream.pipelines.graph.GraphException if the inputs do not fit the graph, or the type of a tensor
     *     that is needed cannot be known; the message names the node and its operator
     */
    public static Graph fix(Graph graph, Map<String, TensorType> inputs) {
        Propagation walk = Propagation.through(graph, inputs);
        KnownValues known = walk.known();
        Set<String> outputs = graph.outputs().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
        Map<String, TensorProto> weights = new LinkedHashMap<>(known.weights());
        UniformOperands uniform = new UniformOperands(known, weights);
        List<NodeProto> computing = new ArrayList<>();
        for (NodeProto node : walk.nodes()) {
            boolean makesOutput = Nodes.writes(node).stream().anyMatch(outputs::contains);
            if (makesOutput) {
                Nodes.writes(node).forEach(weights::remove);
            } else if (isConstant(node, known)) {
                Nodes.writes(node).forEach(tensor -> weights.computeIfAbsent(tensor,
                    name -> ConstantProtos.write(name, known.constant(name).orElseThrow())));
                continue;
            }
            computing.add(uniform.shrink(node));
        }
        List<NodeProto> needed = needed(Copies.remove(computing, outputs, known), outputs);
        needed.forEach(node -> outputs.addAll(Nodes.reads(node)));
        weights.keySet().retainAll(outputs);
        return assemble(graph, needed, weights, new TensorTypes(known));
    }

    private static boolean isConstant(NodeProto node, KnownValues known) {
        return Nodes.writes(node).stream().allMatch(tensor -> known.weights().containsKey(tensor)
            || known.constant(tensor).filter(Constant::isSmall).isPresent());
    }

    /** Nodes that some output depends on, in the same order. */
    private static List<NodeProto> needed(List<NodeProto> nodes, Set<String> outputs) {
        Set<String> read = new HashSet<>(outputs);
        Deque<NodeProto> backwards = new ArrayDeque<>();
        for (NodeProto node : nodes.reversed()) {
            if (Nodes.writes(node).stream().anyMatch(read::contains)) {
                read.addAll(Nodes.reads(node));
                backwards.addFirst(node);
            }
        }
        return List.copyOf(backwards);
    }

    private static Graph assemble(Graph graph, List<NodeProto> nodes, Map<String, TensorProto> weights,
        TensorTypes known) {
        Map<String, TypeProto> types = new LinkedHashMap<>();
        graph.inputs().forEach(input -> types.put(input.getName(), ValueInfos.of(known.type(input.getName()))));
        nodes.forEach(node -> Nodes.writes(node)
            .forEach(tensor -> types.put(tensor, ValueInfos.of(known.type(tensor)))));
        List<ValueInfoProto> inputs = graph.inputs().stream()
            .map(input -> ValueInfos.of(input.getName(), known.type(input.getName()))).toList();
        List<ValueInfoProto> outputs = graph.outputs().stream()
            .map(output -> ValueInfos.of(output.getName(), known.type(output.getName()))).toList();
        return graph.with(inputs, outputs, nodes, weights).withTypes(types);
    }
}
