package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.build.Attributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The graphs of a denoiser that is divided into patches. Tensors have one name for one meaning: what patch 1 makes is
 * called {@code ...@1}, whether its own graph makes it or {@link #whole}. Weights are shared.
 *
 * @param whole all at once, its outputs the prediction and all that patches read of each other
 * @param patches one graph a patch; each reads the whole latents, and pieces of tensors of the others
 * @param former inputs of patches that are what they wrote themselves a step before, and the names of these tensors
 * @param assembly puts the predictions of the patches together
 */
public record PatchedNetwork(Graph whole, List<Graph> patches, Map<String, String> former, Graph assembly) {
    public PatchedNetwork {
        patches = List.copyOf(patches);
        former = Map.copyOf(former);
    }

    /**
     * Rewrites a denoiser.
     *
     * @param whole with fixed shapes, see {@link dev.slipstream.pipelines.graph.shape.StaticShapes}
     * @param part the same denoiser with the shapes of one patch: its latents have the {@code patches}-th part of the
     *     rows or columns
     * @throws dev.slipstream.pipelines.graph.GraphException if the graph has operators that cannot be divided; the
     *     message names the first
     */
    public static PatchedNetwork of(Graph whole, Graph part, Patching patching) {
        Sites sites = new Sites(whole, part, patching);
        Map<String, String> former = new HashMap<>();
        List<Graph> patches = new ArrayList<>();
        for (int patch = 0; patch < patching.patches(); patch++) {
            PatchRewrite rewrite = new PatchRewrite(part, sites, patching, patch);
            patches.add(rewrite.rewritten());
            former.putAll(rewrite.former());
        }
        return new PatchedNetwork(new TappedRewrite(whole, sites, patching).rewritten(), patches, former,
            assembly(whole, patches, patching));
    }

    private static Graph assembly(Graph whole, List<Graph> patches, Patching patching) {
        ValueInfoProto prediction = whole.outputs().getFirst();
        List<ValueInfoProto> parts = patches.stream().map(patch -> patch.outputs().getFirst()).toList();
        NodeProto concat = NodeProto.newBuilder().setName("/assembly/Concat").setOpType("Concat")
            .addAllInput(parts.stream().map(ValueInfoProto::getName).toList()).addOutput(prediction.getName())
            .addAllAttribute(Attributes.NONE.integer("axis", patching.axis().index()).protos()).build();
        return whole.with(parts, List.of(prediction), List.of(concat), Map.of())
            .withTypes(Map.of(prediction.getName(), prediction.getType()));
    }

    /**
     * The same denoiser for any height and width, where an exporter declared those of one size. Where it wrote that
     * size into the graph, too, the shapes of a patch do not fit the nodes, which is an error when they are fixed.
     */
    public static Graph opened(Graph graph) {
        return graph.with(graph.inputs().stream().map(PatchedNetwork::opened).toList(),
            graph.outputs().stream().map(PatchedNetwork::opened).toList(), graph.nodes(), graph.weights())
            .withTypes(Map.of());
    }

    private static ValueInfoProto opened(ValueInfoProto info) {
        int rank = info.getType().getTensorType().getShape().getDimCount();
        ValueInfoProto.Builder open = info.toBuilder();
        for (int axis = 2; rank == 4 && axis < rank; axis++) {
            open.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().setDim(axis,
                Dimension.newBuilder().setDimParam(axis == 2 ? "height" : "width"));
        }
        return open.build();
    }

    /**
     * What a side of the latents must be a multiple of to be divided so.
     *
     * @param graph of the denoiser, whose strided convolutions say how much smaller the smallest feature map is
     */
    public static long sideMultiple(Graph graph, int patches) {
        return graph.nodes().stream().filter(node -> node.getOpType().equals("Conv"))
            .mapToLong(conv -> Nodes.integers(conv, "strides").stream()
                .mapToLong(Long::longValue).max().orElse(1))
            .reduce(patches, Math::multiplyExact);
    }

    /** The statistics that the graph of a patch gives others, in the order in which it makes them. */
    public static List<String> statistics(Graph patch) {
        return patch.outputs().stream().map(ValueInfoProto::getName)
            .filter(name -> name.contains(":" + GroupStatistics.NAME + "@")).toList();
    }

    static double unbiased(long elements) {
        return (double) elements / (elements - 1);
    }
}
