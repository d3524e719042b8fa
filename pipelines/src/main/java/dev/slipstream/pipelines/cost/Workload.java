package dev.slipstream.pipelines.cost;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.cut.ModulePath;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.shape.Costs;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The work of one run of a graph, by what bounds it on a device.
 *
 * @param convolutions multiply-accumulates of convolutions
 * @param products multiply-accumulates of matrix products
 * @param attention multiply-accumulates of attention, whose map of products no good engine writes to memory
 * @param bytes that operators read and write; those of attention are its inputs and its result
 * @param operators how many there are, without those that only look at a tensor in another way
 */
public record Workload(double convolutions, double products, double attention, double bytes, double operators) {
    public static final Workload NOTHING = new Workload(0, 0, 0, 0, 0);

    private static final Set<String> CONVOLUTIONS = Set.of("Conv", "ConvTranspose");

    /** @param graph one with types, such as {@link dev.slipstream.pipelines.graph.shape.StaticShapes} makes */
    public static Workload of(Graph graph) {
        return byModule(graph).values().stream().reduce(NOTHING, Workload::plus);
    }

    /**
     * The work of each module that is a unit of the network: a residual block, an attention, a block of a transformer.
     *
     * @param graph as for {@link #of(Graph)}
     */
    public static Map<String, Workload> byModule(Graph graph) {
        Graph fused = AttentionFusion.fuse(graph);
        Costs costs = Costs.of(fused);
        Set<String> constants = new HashSet<>(fused.weights().keySet());
        Map<String, Workload> modules = new LinkedHashMap<>();
        for (NodeProto node : fused.nodes()) {
            // What is made of weights alone is made when the engine is built.
            if (constants.containsAll(Nodes.reads(node))) {
                constants.addAll(Nodes.writes(node));
            } else {
                modules.merge(ModulePath.unit(ModulePath.of(node)), of(node, costs), Workload::plus);
            }
        }
        return modules;
    }

    private static Workload of(NodeProto node, Costs costs) {
        double bytes = costs.bytesMoved(node);
        double work = costs.multiplyAccumulates(node);
        String type = node.getOpType();
        boolean convolves = CONVOLUTIONS.contains(type);
        boolean attends = Costs.ATTENTION.equals(type);
        return new Workload(convolves ? work : 0, convolves || attends ? 0 : work, attends ? work : 0, bytes,
            bytes > 0 ? 1 : 0);
    }

    public Workload plus(Workload other) {
        return new Workload(convolutions + other.convolutions, products + other.products, attention + other.attention,
            bytes + other.bytes, operators + other.operators);
    }

    /** All multiply-accumulates. */
    public double multiplyAccumulates() {
        return convolutions + products + attention;
    }
}
