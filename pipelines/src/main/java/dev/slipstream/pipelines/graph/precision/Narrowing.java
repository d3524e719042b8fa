package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** One rewrite of one graph: each node is told which version of each tensor it reads, and which it makes. */
final class Narrowing {
    private static final int WIDE = DataType.FLOAT_VALUE;

    private final Graph graph;
    private final int narrowType;
    private final Set<String> narrowed;
    private final ElementTypes types;
    private final NarrowNodes narrow;
    private final TensorVersions versions;

    /** @param narrowed float32 inputs and outputs of the graph that become narrow */
    Narrowing(Graph graph, Precision precision, NarrowWeights weights, Set<String> narrowed) {
        this.graph = graph;
        this.narrowType = code(precision);
        this.narrowed = narrowed;
        this.types = new ElementTypes(graph);
        Set<String> outputs = graph.outputs().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
        narrowed.stream().filter(tensor -> !graph.isInput(tensor) && !outputs.contains(tensor)
            || types.of(tensor) != WIDE).findFirst().ifPresent(tensor -> {
                throw new GraphException("'" + tensor + "' cannot become " + precision
                    + ": it is no float32 input or output of the graph");
            });
        outputs.removeAll(narrowed);
        this.narrow = new NarrowNodes(graph, types, outputs,
            weight -> weights.fit(graph, graph.weights().get(weight)));
        this.versions = new TensorVersions(graph, types, narrowType, weights, narrowed);
    }

    /** The number that ONNX files have for the element type of a precision. */
    static int code(Precision precision) {
        return switch (precision) {
            case FP32 -> DataType.FLOAT_VALUE;
            case FP16 -> DataType.FLOAT16_VALUE;
            case BF16 -> DataType.BFLOAT16_VALUE;
        };
    }

    Graph rewrite() {
        for (NodeProto node : graph.nodes()) {
            for (int i = 0; i < node.getInputCount(); i++) {
                if (isWeightReadAsItIs(node, i)) {
                    versions.keepWide(node.getInput(i));
                }
            }
        }
        graph.nodes().forEach(this::rewrite);
        Graph whole = graph.with(declared(graph.inputs()), declared(graph.outputs()), versions.nodes(),
            versions.weights()).withTypes(versions.types());
        return GraphPruner.prune(whole);
    }

    private boolean isWeightReadAsItIs(NodeProto node, int input) {
        return graph.weights().containsKey(node.getInput(input)) && !readsNarrow(node, input);
    }

    private boolean readsNarrow(NodeProto node, int input) {
        return narrow.contains(node) && types.of(node.getInput(input)) == WIDE
            && !OperatorRoles.isAlwaysWide(node, input);
    }

    private void rewrite(NodeProto node) {
        if (node.getOpType().equals("Cast") && Nodes.isStandard(node)) {
            versions.addCast(node);
            return;
        }
        NodeProto.Builder changed = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            String tensor = node.getInput(i);
            changed.setInput(i, tensor.isEmpty() ? "" : readsNarrow(node, i) ? versions.narrow(tensor)
                : versions.asDeclared(tensor));
        }
        boolean makesNarrow = narrow.contains(node);
        for (int i = 0; i < node.getOutputCount(); i++) {
            String tensor = node.getOutput(i);
            if (!tensor.isEmpty() && types.of(tensor) == WIDE) {
                changed.setOutput(i, versions.nameOfMade(tensor, makesNarrow));
            }
        }
        NodeProto result = changed.build();
        versions.add(result.equals(node) ? node : result);
        for (String tensor : Nodes.writes(node)) {
            versions.finish(tensor);
        }
    }

    private List<ValueInfoProto> declared(List<ValueInfoProto> infos) {
        return infos.stream().map(info -> {
            if (!narrowed.contains(info.getName())) {
                return info;
            }
            ValueInfoProto.Builder changed = info.toBuilder();
            changed.getTypeBuilder().getTensorTypeBuilder().setElemType(narrowType);
            return changed.build();
        }).toList();
    }
}
