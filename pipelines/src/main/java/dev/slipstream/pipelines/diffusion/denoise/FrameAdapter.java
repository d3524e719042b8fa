package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Renaming;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Changes a graph for videos so that it takes and gives latents as every loop has them, {@code [rows, frames ·
 * channels, height, width]} or {@code [rows, channels · frames, height, width]}: as it has them in memory. Only
 * elements move.
 */
public final class FrameAdapter {
    private final Graph graph;
    private final String sample;
    private final int frameAxis;
    private final List<ValueInfoProto> inputs;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> weights;
    private final Renaming renamed = new Renaming();

    private FrameAdapter(Graph graph, String sample, int frameAxis) {
        this.graph = graph;
        this.sample = sample;
        this.frameAxis = frameAxis;
        this.inputs = new ArrayList<>(graph.inputs());
        this.weights = new LinkedHashMap<>(graph.weights());
    }

    /**
     * @param denoiser whose latents have five dimensions
     * @param frameAxis which of them counts frames: 1 before or 2 behind channels
     * @param picture input for latents of a picture, {@code [rows, 1, channels, height, width]}, which are put behind
     *     the channels of each frame; empty if there is none
     * @param perFrame conditions of which the graph takes a row for each frame, and the loop gives one for all
     */
    public static DenoiserGraph adapt(DenoiserGraph denoiser, int frameAxis, String picture, List<String> perFrame) {
        Graph graph = denoiser.graph();
        FrameAdapter adapter = new FrameAdapter(graph, denoiser.ports().sample(), frameAxis);
        long channels = adapter.channels(graph.outputs().getFirst());
        adapter.unfold(channels, picture);
        perFrame.stream().filter(graph::isInput).forEach(adapter::repeat);
        return denoiser.with(adapter.folded());
    }

    private long channels(ValueInfoProto video) {
        List<Dimension> dims = video.getType().getTensorType().getShape().getDimList();
        if (dims.size() != 5 || !dims.get(3 - frameAxis).hasDimValue()) {
            throw new GraphException("output '" + video.getName() + "' of the denoiser has " + dims.size()
                + " dimensions, but those of videos are 5, and their channels are known");
        }
        return dims.get(3 - frameAxis).getDimValue();
    }

    private void unfold(long channels, String picture) {
        String unfolded = sample + ".frames";
        String target = add("Concat", sample + ".target", Attributes.NONE.integer("axis", 0),
            frameAxis == 1 ? integers(sample + ".rows", 0L, -1L, channels) : integers(sample + ".rows", 0L, channels,
                -1L), add("Shape", sample + ".sides", Attributes.NONE.integer("start", 2), sample));
        add("Reshape", unfolded, Attributes.NONE, sample, target);
        renamed.put(sample, picture.isEmpty() ? unfolded : beside(unfolded, picture, channels));
        int place = place(sample);
        List<Dimension> dims = inputs.get(place).getType().getTensorType().getShape().getDimList();
        inputs.set(place, LoopAdapter.shaped(inputs.get(place), dims.getFirst(), LoopAdapter.named("frames_channels"),
            dims.get(3), dims.get(4)));
    }

    /** Frames with the channels of a picture behind their own. */
    private String beside(String frames, String picture, long channels) {
        ValueInfoProto input = inputs.get(place(sample));
        List<Dimension> dims = input.getType().getTensorType().getShape().getDimList();
        inputs.add(LoopAdapter.shaped(input.toBuilder().setName(picture).build(), dims.get(0), LoopAdapter.number(1),
            LoopAdapter.number(dims.get(2).getDimValue() - channels), dims.get(3), dims.get(4)));
        String target = add("Concat", picture + ".target", Attributes.NONE.integer("axis", 0),
            add("Shape", frames + ".shape", Attributes.NONE.integer("end", 2), frames),
            add("Shape", picture + ".shape", Attributes.NONE.integer("start", 2), picture));
        String each = add("Expand", picture + ".of_frames", Attributes.NONE, picture, target);
        return add("Concat", frames + ".beside", Attributes.NONE.integer("axis", 2), frames, each);
    }

    /** Rows of a condition once for each frame. */
    private void repeat(String condition) {
        String frames = add("Shape", condition + ".count",
            Attributes.NONE.integer("start", frameAxis).integer("end", frameAxis + 1L), sample + ".frames");
        String apart = add("Unsqueeze", condition + ".apart", Attributes.NONE, condition,
            integers(condition + ".axis", 1L));
        String rest = add("Shape", condition + ".rest", Attributes.NONE.integer("start", 1), condition);
        String target = add("Concat", condition + ".target", Attributes.NONE.integer("axis", 0),
            add("Shape", condition + ".rows", Attributes.NONE.integer("end", 1), condition), frames, rest);
        String each = add("Expand", condition + ".each", Attributes.NONE, apart, target);
        String flat = add("Concat", condition + ".flat", Attributes.NONE.integer("axis", 0),
            integers(condition + ".all", -1L), rest);
        renamed.put(condition, add("Reshape", condition + ".of_frames", Attributes.NONE, each, flat));
        int place = place(condition);
        List<Dimension> dims = new ArrayList<>(
            inputs.get(place).getType().getTensorType().getShape().getDimList());
        dims.set(0, inputs.get(place(sample)).getType().getTensorType().getShape().getDim(0));
        inputs.set(place, LoopAdapter.shaped(inputs.get(place), dims.toArray(Dimension[]::new)));
    }

    private Graph folded() {
        ValueInfoProto prediction = graph.outputs().getFirst();
        List<Dimension> dims = inputs.get(place(sample)).getType().getTensorType().getShape().getDimList();
        String name = prediction.getName() + ".folded";
        List<NodeProto> all = new ArrayList<>(nodes);
        nodes.clear();
        graph.nodes().forEach(node -> all.add(renamed.apply(node)));
        add("Reshape", name, Attributes.NONE, prediction.getName(), add("Concat", name + ".target",
            Attributes.NONE.integer("axis", 0), integers(name + ".rows", 0L, -1L), sample + ".sides"));
        all.addAll(nodes);
        List<ValueInfoProto> outputs = new ArrayList<>(graph.outputs());
        outputs.set(0, LoopAdapter.shaped(prediction.toBuilder().setName(name).build(),
            dims.toArray(Dimension[]::new)));
        return graph.with(inputs, outputs, all, weights);
    }

    private int place(String name) {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).getName().equals(name)) {
                return i;
            }
        }
        throw new GraphException("the denoiser has no input '" + name + "'");
    }

    /** A node of no module: it moves elements, and is replicated where they are used. */
    private String add(String operator, String makes, Attributes attributes, String... reads) {
        nodes.add(NodeProto.newBuilder().setName(makes).setOpType(operator).addAllInput(List.of(reads))
            .addOutput(makes).addAllAttribute(attributes.protos()).build());
        return makes;
    }

    private String integers(String name, Long... values) {
        weights.put(name, ConstantProtos.integers(name, List.of(values)));
        return name;
    }
}
