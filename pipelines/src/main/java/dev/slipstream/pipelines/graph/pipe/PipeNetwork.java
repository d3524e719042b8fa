package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A transformer as segments that each compute one part of its blocks, for the whole picture or for one patch.
 *
 * <p>Tensor {@code t@m} is the part of {@code t} that patch {@code m} has. Segments for the whole picture make it of
 * keys and values, and those for a patch of all that they make of the picture. So a patch reads keys and values of the
 * other patches as they are at the time, and adds its own; between parts only hidden states go. Results are those of
 * the whole graph to rounding, as long as keys and values are of the same latents.
 *
 * <p>Text that has layers of its own in all blocks goes through the blocks with the first patch; the others find it in
 * front of each block as the first one did (xDiT's Stable Diffusion 3). Text that has layers in common with the
 * picture in some blocks goes through the blocks of a part anew with every patch, always from what came with the first
 * one (xDiT's FLUX).
 *
 * @param patches there may be fewer than were asked for
 * @param whole the segments for the whole picture, one a part
 * @param parts for each part the segments of its patches
 * @param division makes the patches of the latents
 * @param assembly puts the patches of the prediction together
 */
public record PipeNetwork(List<Patch> patches, List<Segment> whole, List<List<Segment>> parts, Segment division,
    Segment assembly) {
    /**
     * What is divided.
     *
     * @param sample name of the latents, {@code axis} along which they are divided
     * @param rows of tokens that the picture has
     */
    public record Picture(String sample, int axis, long rows) {
    }

    public PipeNetwork {
        patches = List.copyOf(patches);
        whole = List.copyOf(whole);
        parts = parts.stream().map(List::copyOf).toList();
    }

    /**
     * @param whole with fixed shapes; its first output is the prediction
     * @param parts how many
     * @param patches how many there are at most
     * @throws GraphException naming the node, if one mixes tokens in another way than attention, or if there are too
     *     few blocks
     */
    public static PipeNetwork of(Graph whole, Picture picture, int parts, int patches) {
        Graph graph = PartGraph.fixed(whole);
        TokenFlow flow = new TokenFlow(graph, picture.sample(), picture.axis(), picture.rows());
        Blocks blocks = new Blocks(flow, parts);
        List<Patch> all = Patch.of(picture.rows(), patches);
        String prediction = graph.outputs().getFirst().getName();
        TokenLayout layout = flow.layout(prediction).filter(TokenLayout::isPicture)
            .orElseThrow(() -> new GraphException("output '" + prediction + "' has no rows of the picture"));
        List<Segment> inOne = new ArrayList<>();
        List<List<Segment>> cut = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            int number = part;
            String name = "p" + part;
            inOne.add(new Segment(name, part, PartGraph.whole(flow, blocks, part, all)));
            cut.add(IntStream.range(0, all.size()).mapToObj(index -> new Segment(name + "@" + index, number,
                new PatchGraph(flow, blocks, number, all, index).result())).toList());
        }
        return new PipeNetwork(all, inOne, cut,
            new Segment("division", 0, PartGraph.divided(flow, picture.sample(), all)),
            new Segment("assembly", parts, assembly(graph, prediction, flow.type(prediction), layout, all)));
    }

    private static Graph assembly(Graph graph, String prediction, TensorType type, TokenLayout layout,
        List<Patch> patches) {
        List<ValueInfoProto> inputs = patches.stream().map(patch -> ValueInfos.of(ofPatch(prediction, patch),
            new TensorType(type.type(), Shape.of(layout.dims(type.shape().toArray(), patch))))).toList();
        NodeProto concat = NodeProto.newBuilder().setOpType("Concat").setName(prediction)
            .addAllInput(inputs.stream().map(ValueInfoProto::getName).toList()).addOutput(prediction)
            .addAllAttribute(Attributes.NONE.integer("axis", layout.axis()).protos()).build();
        return PartGraph.fixed(graph.with(inputs, List.of(ValueInfos.of(prediction, type)), List.of(concat), Map.of()));
    }

    /** What a patch has of a tensor. */
    static String ofPatch(String tensor, Patch patch) {
        return tensor + "@" + patch.index();
    }
}
