package dev.slipstream.pipelines.graph.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.TensorTypes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What holds for every rewritten graph. */
final class Rewritten {
    private Rewritten() {
    }

    static boolean isCast(NodeProto node) {
        return node.getOpType().equals("Cast");
    }

    static long casts(Graph graph) {
        return graph.nodes().stream().filter(Rewritten::isCast).count();
    }

    /** Each type that the graph declares is what its operators make of its inputs; each node's operands agree. */
    static void assertTypesAreConsistent(Graph graph) {
        TensorTypes inferred = TensorTypes.infer(graph, InputTypes.of(graph, Map.of()));
        Map<String, TensorType> declared = ValueInfos.types(graph);
        for (NodeProto node : graph.nodes()) {
            for (String tensor : Nodes.writes(node)) {
                assertEquals(inferred.type(tensor), declared.get(tensor), tensor);
            }
        }
        graph.outputs().forEach(output -> assertEquals(inferred.type(output.getName()).type(),
            InputTypes.element(output), output.getName()));
        ElementTypes types = new ElementTypes(graph);
        for (NodeProto node : graph.nodes()) {
            Set<Integer> floats = new HashSet<>();
            for (int i = 0; i < node.getInputCount(); i++) {
                if (!node.getInput(i).isEmpty() && !OperatorRole.isAlwaysWide(node, i)) {
                    floats.add(types.of(node.getInput(i)));
                }
            }
            floats.retainAll(Set.of(DataType.FLOAT_VALUE, DataType.FLOAT16_VALUE, DataType.BFLOAT16_VALUE));
            assertFalse(floats.size() > 1, () -> Nodes.label(node) + " reads " + floats);
        }
    }

    /** No new cast of a new cast, none to the type that a value has, no value cast twice to one type. */
    static void assertNoCastIsRedundant(Graph original, Graph graph) {
        Set<String> old = new HashSet<>(original.nodes().stream().map(NodeProto::getName).toList());
        ElementTypes types = new ElementTypes(graph);
        Set<List<Object>> seen = new HashSet<>();
        List<String> redundant = new ArrayList<>();
        for (NodeProto node : graph.nodes()) {
            if (isCast(node) && !old.contains(node.getName())) {
                String from = node.getInput(0);
                boolean ofCast = graph.producer(from).filter(Rewritten::isCast)
                    .filter(maker -> !old.contains(maker.getName())).isPresent();
                boolean same = types.of(from) == types.of(node.getOutput(0));
                if (ofCast || same || !seen.add(List.of(from, Nodes.integer(node, "to", 0)))) {
                    redundant.add(node.getName() + " of " + from);
                }
            }
        }
        assertEquals(List.of(), redundant);
    }
}
