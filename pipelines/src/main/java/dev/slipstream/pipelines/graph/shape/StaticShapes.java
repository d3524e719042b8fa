package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
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
        List<NodeProto> nodes = Copies.remove(computing, outputs, known);
        Graph needed = GraphPruner.prune(graph.with(graph.inputs(), graph.outputs(), nodes, weights));
        return declared(needed, new TensorTypes(known));
    }

    private static boolean isConstant(NodeProto node, KnownValues known) {
        return Nodes.writes(node).stream().allMatch(tensor -> known.weights().containsKey(tensor)
            || known.constant(tensor).filter(Constant::isSmall).isPresent());
    }

    /** The graph with the types of its inputs, its outputs and whatever its nodes make. */
    private static Graph declared(Graph graph, TensorTypes known) {
        Map<String, TypeProto> types = new LinkedHashMap<>();
        for (NodeProto node : graph.nodes()) {
            for (String tensor : Nodes.writes(node)) {
                types.put(tensor, ValueInfos.of(ValueType.of(known.type(tensor))));
            }
        }
        List<ValueInfoProto> inputs = declared(graph.inputs(), known);
        inputs.forEach(input -> types.put(input.getName(), input.getType()));
        return graph.with(inputs, declared(graph.outputs(), known), graph.nodes(), graph.weights()).withTypes(types);
    }

    private static List<ValueInfoProto> declared(List<ValueInfoProto> infos, TensorTypes known) {
        return infos.stream().map(info -> ValueInfos.of(info.getName(), known.type(info.getName()))).toList();
    }
}
