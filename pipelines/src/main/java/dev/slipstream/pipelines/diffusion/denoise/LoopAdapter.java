package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
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
 * Changes a denoiser's graph so that it takes and gives what every loop does: latents {@code [rows, channels, height,
 * width]}, a prediction of the same shape, the noise scheduler's timesteps, and conditions that have rows. Only
 * elements move, or are divided by a number; names of inputs stay.
 *
 * <p>The new nodes are in the modules of those that they stand beside, so that every cut puts both into one part.
 */
public final class LoopAdapter {
    private final Graph graph;
    private final List<ValueInfoProto> inputs;
    private final List<ValueInfoProto> outputs;
    private final List<NodeProto> before = new ArrayList<>();
    private final List<NodeProto> after = new ArrayList<>();
    private final Map<String, TensorProto> weights;
    private final Renaming renamed = new Renaming();

    private LoopAdapter(Graph graph) {
        this.graph = graph;
        this.inputs = new ArrayList<>(graph.inputs());
        this.outputs = new ArrayList<>(graph.outputs());
        this.weights = new LinkedHashMap<>(graph.weights());
    }

    /**
     * For a graph that takes patches of the latents as tokens {@code [rows, patches, channels · side²]}, row by row,
     * and each patch channel by channel, and predicts such tokens.
     */
    public static DenoiserGraph packed(DenoiserGraph denoiser, int side) {
        LoopAdapter adapter = new LoopAdapter(denoiser.graph());
        String sample = denoiser.ports().sample();
        long area = (long) side * side;
        int place = adapter.input(sample);
        List<Dimension> dims = adapter.inputs.get(place).getType().getTensorType().getShape().getDimList();
        if (dims.size() != 3 || !dims.get(2).hasDimValue() || dims.get(2).getDimValue() % area != 0) {
            throw new GraphException("input '" + sample + "' takes " + dims.size() + " dimensions, but tokens of "
                + "patches of latents are [rows, patches, channels], a multiple of " + area + " channels");
        }
        long channels = dims.get(2).getDimValue() / area;
        adapter.inputs.set(place, shaped(adapter.inputs.get(place), dims.getFirst(), number(channels),
            named("height"), named("width")));
        adapter.pack(sample, channels, side);
        adapter.unpack(sample, side);
        return denoiser.with(adapter.result());
    }

    private void pack(String sample, long channels, int side) {
        String to = sample + ".packed";
        String module = readers(sample);
        String depth = add(before, module, "SpaceToDepth", sample + ".patches", Attributes.NONE.integer("blocksize",
            side), sample);
        String apart = add(before, module, "Reshape", sample + ".apart", Attributes.NONE, depth,
            integers(sample + ".apart.shape", 0L, (long) side * side, channels, -1L));
        String turned = add(before, module, "Transpose", sample + ".turned",
            Attributes.NONE.integers("perm", 0, 3, 2, 1), apart);
        add(before, module, "Reshape", to, Attributes.NONE, turned, integers(sample + ".packed.shape", 0L, -1L,
            channels * side * side));
        renamed.put(sample, to);
    }

    private void unpack(String sample, int side) {
        ValueInfoProto prediction = outputs.getFirst();
        String tokens = prediction.getName();
        String name = tokens + ".unpacked";
        String module = module(producer(tokens));
        String shape = add(after, module, "Shape", name + ".shape", Attributes.NONE, sample + ".patches");
        String grid = add(after, module, "Slice", name + ".grid", Attributes.NONE, shape,
            integers(name + ".begin", 2L), integers(name + ".end", 4L));
        String target = add(after, module, "Concat", name + ".target", Attributes.NONE.integer("axis", 0),
            integers(name + ".keep", 0L, 0L), grid);
        String turned = add(after, module, "Transpose", name + ".turned", Attributes.NONE.integers("perm", 0, 2, 1),
            tokens);
        String placed = add(after, module, "Reshape", name + ".placed", Attributes.NONE, turned, target);
        add(after, module, "DepthToSpace", name, Attributes.NONE.integer("blocksize", side).text("mode", "CRD"),
            placed);
        Dimension channels = prediction.getType().getTensorType().getShape().getDimCount() == 3
            ? prediction.getType().getTensorType().getShape().getDim(2) : Dimension.getDefaultInstance();
        outputs.set(0, shaped(prediction.toBuilder().setName(name).build(), inputs.get(input(sample)).getType()
            .getTensorType().getShape().getDim(0), channels.hasDimValue()
                ? number(channels.getDimValue() / side / side) : named("channels"), named("height"), named("width")));
    }

    /** For a graph that predicts more channels than the loop reads: its first ones alone. */
    public static DenoiserGraph first(DenoiserGraph denoiser, long channels) {
        LoopAdapter adapter = new LoopAdapter(denoiser.graph());
        ValueInfoProto prediction = adapter.outputs.getFirst();
        String name = prediction.getName() + ".first";
        adapter.add(adapter.after, adapter.module(adapter.producer(prediction.getName())), "Slice", name,
            Attributes.NONE, prediction.getName(), adapter.integers(name + ".begin", 0L),
            adapter.integers(name + ".end", channels), adapter.integers(name + ".axis", 1L));
        ValueInfoProto.Builder cut = prediction.toBuilder().setName(name);
        if (cut.getType().getTensorType().getShape().getDimCount() > 1) {
            cut.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().setDim(1, number(channels));
        }
        adapter.outputs.set(0, cut.build());
        return denoiser.with(adapter.result());
    }

    /** For a graph whose timestep, float32, is the noise scheduler's divided by a number. */
    public static DenoiserGraph divided(DenoiserGraph denoiser, double divisor) {
        LoopAdapter adapter = new LoopAdapter(denoiser.graph());
        String timestep = denoiser.ports().timestep();
        String weight = timestep + ".divisor";
        adapter.weights.put(weight, TensorProto.newBuilder().setName(weight)
            .setDataType(TensorProto.DataType.FLOAT_VALUE).addFloatData((float) divisor).build());
        String to = timestep + ".divided";
        adapter.add(adapter.before, "", "Div", to, Attributes.NONE, timestep, weight);
        adapter.renamed.put(timestep, to);
        return denoiser.with(adapter.result());
    }

    /** For a graph that takes a condition once for all rows: it gets rows, of which the first counts. */
    public static DenoiserGraph rowed(DenoiserGraph denoiser, String input) {
        LoopAdapter adapter = new LoopAdapter(denoiser.graph());
        String sample = denoiser.ports().sample();
        int place = adapter.input(input);
        ValueInfoProto declared = adapter.inputs.get(place);
        List<Dimension> dims = new ArrayList<>(declared.getType().getTensorType().getShape().getDimList());
        dims.addFirst(adapter.inputs.get(adapter.input(sample)).getType().getTensorType().getShape().getDim(0));
        adapter.inputs.set(place, shaped(declared, dims.toArray(Dimension[]::new)));
        String index = input + ".first";
        adapter.weights.put(index, TensorProto.newBuilder().setName(index)
            .setDataType(TensorProto.DataType.INT64_VALUE).addInt64Data(0).build());
        String to = input + ".of_all";
        adapter.add(adapter.before, "", "Gather", to, Attributes.NONE.integer("axis", 0), input, index);
        adapter.renamed.put(input, to);
        return denoiser.with(adapter.result());
    }

    private Graph result() {
        List<NodeProto> nodes = new ArrayList<>(before);
        graph.nodes().forEach(node -> nodes.add(renamed.apply(node)));
        nodes.addAll(after);
        return graph.with(inputs, outputs, nodes, weights);
    }

    private int input(String name) {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).getName().equals(name)) {
                return i;
            }
        }
        throw new GraphException("the denoiser has no input '" + name + "'");
    }

    private NodeProto producer(String output) {
        return graph.producer(output).orElseThrow(() ->
            new GraphException("the denoiser's output '" + output + "' is made by no node"));
    }

    /** The module of what reads an input first. */
    private String readers(String input) {
        return graph.consumers(input).stream().findFirst().map(this::module).orElse("");
    }

    private String module(NodeProto node) {
        return node.getName().substring(0, node.getName().lastIndexOf('/') + 1);
    }

    /** @return the name of what the node makes */
    private String add(List<NodeProto> place, String module, String operator, String makes, Attributes attributes,
        String... reads) {
        place.add(NodeProto.newBuilder().setName(module + makes).setOpType(operator).addAllInput(List.of(reads))
            .addOutput(makes).addAllAttribute(attributes.protos()).build());
        return makes;
    }

    private String integers(String name, Long... values) {
        weights.put(name, ConstantProtos.integers(name, List.of(values)));
        return name;
    }

    static ValueInfoProto shaped(ValueInfoProto info, Dimension... dims) {
        ValueInfoProto.Builder changed = info.toBuilder();
        changed.getTypeBuilder().getTensorTypeBuilder()
            .setShape(TensorShapeProto.newBuilder().addAllDim(List.of(dims)));
        return changed.build();
    }

    static Dimension number(long size) {
        return Dimension.newBuilder().setDimValue(size).build();
    }

    static Dimension named(String name) {
        return Dimension.newBuilder().setDimParam(name).build();
    }
}
