package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What a graph needs besides weights, inputs and outputs while it runs. */
public final class Activations {
    private Activations() {
    }

    /**
     * The most bytes of inner tensors that are alive at the same time, when the nodes run in the graph's order and each
     * tensor is freed after its last reader. An estimate of an engine's work space: one that fuses nodes needs less,
     * one whose kernels want scratch memory needs more. Tensors of unknown type do not count, nor what is made of
     * weights alone, which engines make when they are built.
     *
     * @param types of the graph's tensors; more are no harm
     */
    public static long peakBytes(Graph graph, Map<String, TensorType> types) {
        Set<String> outside = new HashSet<>();
        graph.outputs().stream().map(ValueInfoProto::getName).forEach(outside::add);
        Set<String> constants = new HashSet<>(graph.weights().keySet());
        Map<String, Integer> readersLeft = new HashMap<>();
        long alive = 0;
        long most = 0;
        for (NodeProto node : graph.nodes()) {
            if (constants.containsAll(Nodes.reads(node))) {
                constants.addAll(node.getOutputList());
                continue;
            }
            for (String tensor : node.getOutputList()) {
                int readers = graph.consumers(tensor).size();
                if (readers > 0 && !outside.contains(tensor) && types.containsKey(tensor)) {
                    readersLeft.put(tensor, readers);
                    alive += types.get(tensor).bytes();
                }
            }
            most = Math.max(most, alive);
            for (String tensor : new HashSet<>(node.getInputList())) {
                if (readersLeft.containsKey(tensor) && readersLeft.merge(tensor, -1, Integer::sum) == 0) {
                    alive -= types.get(tensor).bytes();
                }
            }
        }
        return most;
    }
}
