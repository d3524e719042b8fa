package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes graphs compute in fp16 or bf16, for engines that take every type from the graph ("strongly typed").
 *
 * <p>Products, activations and the arithmetic between them become narrow, and with them what goes between segments.
 * Normalisations (as one operator, or as exporters spell them out), softmax, sums, powers, and all from the timestep to
 * its sines stay fp32, as do integers and whatever is not known to be safe. A value is cast once, where the two meet.
 * Nodes and tensors keep their names. A cast that narrows is in the module of the node whose result it narrows; one
 * that widens is in none, so that cutting the graph repeats it where it is read and the narrow value is the edge.
 *
 * <p>Weights are rounded to nearest even. Where one does not fit (fp16 ends at 65504), the nodes that read it stay
 * fp32, which is logged. Weights in other files stay there, and are only read to see whether they fit; the engine
 * rounds them when it loads them.
 *
 * <p>One object serves one model at any number of sizes: it remembers the weights that it has rounded, so that rewrites
 * share them. <b>Threads:</b> any.
 */
public final class PrecisionRewrite {
    private final Precision precision;
    private final NarrowWeights weights;

    public PrecisionRewrite(Precision precision) {
        this.precision = precision;
        this.weights = new NarrowWeights(precision);
    }

    public Precision precision() {
        return precision;
    }

    /** The graph in this precision. What callers give and take stays as it is: latents and predictions are fp32. */
    public Graph apply(Graph graph) {
        return apply(graph, Set.of());
    }

    /**
     * The graph in this precision; for {@link Precision#FP32} the graph itself. To rewrite twice changes nothing more.
     *
     * @param graph best one with {@linkplain Graph#types types} and without shape arithmetic, such as
     *     {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes
     * @param narrowed float32 inputs and outputs that become narrow, too; all others keep their types
     * @throws GraphException if {@code narrowed} names something else
     */
    public Graph apply(Graph graph, Set<String> narrowed) {
        if (precision == Precision.FP32) {
            return graph;
        }
        return new Narrowing(graph, precision, weights, narrowed).rewrite();
    }

    /** One rewrite of one graph: each node is told which version of each tensor it reads, and which it makes. */
    private static final class Narrowing {
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
            this.narrowType = ElementType.of(precision.type()).code();
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
                && !OperatorRole.isAlwaysWide(node, input);
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
}
