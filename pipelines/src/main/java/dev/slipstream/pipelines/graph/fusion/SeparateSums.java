package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Keeps sums out of the convolutions before them and of the norms behind them, so that a graph gives the same bits
 * whole and cut between modules.
 *
 * <p>ONNX Runtime moves convolutions on CPUs into a blocked layout and lets them add the other operand of a sum as they
 * go (NchwcTransformer), which rounds in another order. It does so only where that operand comes from a convolution,
 * too: in a graph that is cut in between it is an input, and the sum stays apart. A Reshape to the shape that a tensor
 * has stands in the way of that and moves no byte; the sum is then a pass of its own, in every graph.
 *
 * <p>Likewise it makes one operator of a sum and the norm that alone reads it (SkipLayerNormFusion), unless they are in
 * two graphs. Transformers end with such a norm, which has no weights of its own; norms that have some lie inside
 * blocks, which no cut divides, or in models that are not cut.
 */
public final class SeparateSums {
    private static final Set<String> SUMS = Set.of("Add", "Sum");

    private final FixedTensors tensors;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> weights;
    private final Map<String, TypeProto> types;

    private SeparateSums(Graph graph) {
        this.tensors = new FixedTensors(graph);
        this.weights = new LinkedHashMap<>(graph.weights());
        this.types = new LinkedHashMap<>(graph.types());
    }

    /**
     * The same computation. Inputs, outputs and all tensors keep their names and types.
     *
     * @param graph one with {@linkplain Graph#types types}; convolutions of unknown shape stay as they are
     */
    public static Graph keep(Graph graph) {
        SeparateSums sums = new SeparateSums(graph);
        graph.nodes().forEach(sums::add);
        return sums.nodes.size() == graph.nodes().size() ? graph
            : graph.with(graph.inputs(), graph.outputs(), sums.nodes, sums.weights).withTypes(sums.types);
    }

    private void add(NodeProto node) {
        NodeProto.Builder apart = node.toBuilder();
        if (isNormOfSum(node)) {
            apart.setInput(0, reshaped(node.getInput(0)));
        }
        // Two convolutions that nothing else reads are the ways through one residual block, which no cut divides.
        if (SUMS.contains(node.getOpType()) && !node.getInputList().stream().allMatch(this::canTakeUp)) {
            for (int i = 0; i < node.getInputCount(); i++) {
                if (canTakeUp(node.getInput(i))) {
                    apart.setInput(i, reshaped(node.getInput(i)));
                }
            }
        }
        nodes.add(apart.build());
    }

    /** Whether what makes this tensor can take up a sum that reads it. */
    private boolean canTakeUp(String tensor) {
        return tensors.producer(tensor).filter(maker -> maker.getOpType().equals("Conv")).isPresent()
            && tensors.onlyReader(tensor).isPresent() && tensors.dims(tensor).isPresent() && !tensors.isHalf(tensor);
    }

    private boolean isNormOfSum(NodeProto node) {
        return Nodes.is(node, "LayerNormalization", 2) && tensors.isOne(node.getInput(1))
            && tensors.producer(node.getInput(0)).filter(maker -> SUMS.contains(maker.getOpType())).isPresent()
            && tensors.onlyReader(node.getInput(0)).isPresent() && tensors.dims(node.getInput(0)).isPresent();
    }

    private String reshaped(String tensor) {
        String same = tensor + "/apart";
        String shape = same + "/shape";
        weights.put(shape, ConstantProtos.integers(shape, tensors.dims(tensor).orElseThrow()));
        types.put(same, types.get(tensor));
        nodes.add(NodeProto.newBuilder().setName(same).setOpType("Reshape").addInput(tensor).addInput(shape)
            .addOutput(same).build());
        return same;
    }
}
