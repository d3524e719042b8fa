package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.graph.precision.PrecisionRewrite;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.MotionAdapter;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.mmdit.Sd3Transformer;
import dev.slipstream.pipelines.model.unet.MotionUNet;
import dev.slipstream.pipelines.run.loop.DenoiserPorts;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.stream.Collectors;

/**
 * A denoiser before it has sizes: its graph, its configuration and the cuts that come with it.
 *
 * @param name what segments, errors and timelines call it, for example {@code unet}
 * @param graph inputs {@code sample} (of transformers {@code hidden_states}), {@code timestep} and conditions; its
 *     first output is the prediction
 * @param config the model's {@code config.json}; empty where there is none
 * @param cuts named cuts from beside the model, best first
 * @param rewrite gives the graph its precision, once its shapes are fixed
 * @param joined modules of what was joined with the model, which cuts need not list: there it is never old
 */
public record DenoiserGraph(String name, Graph graph, JsonObject config, List<Cut> cuts, PrecisionRewrite rewrite,
    List<String> joined) {
    /** Names of the latents' input, as diffusers has them for UNets and for transformers. */
    private static final List<String> SAMPLES = List.of("sample", "hidden_states");
    private static final String TIMESTEP = "timestep";
    /** A side of so many powers of two is beyond every picture. */
    private static final int MOST_HALVINGS = 16;

    public DenoiserGraph {
        cuts = List.copyOf(cuts);
        joined = List.copyOf(joined);
        for (String needed : List.of(sample(graph), TIMESTEP)) {
            if (!graph.isInput(needed)) {
                throw new GraphException("denoiser " + name + " has no input '" + needed + "'; it has "
                    + graph.inputs().stream().map(ValueInfoProto::getName).collect(Collectors.joining(", ")));
            }
        }
        graph = FractionalTimesteps.allow(graph, TIMESTEP);
    }

    private static String sample(Graph graph) {
        return SAMPLES.stream().filter(graph::isInput).findFirst().orElse(SAMPLES.getFirst());
    }

    private String sample() {
        return sample(graph);
    }

    /** The same denoiser with another graph. */
    DenoiserGraph with(Graph changed) {
        return new DenoiserGraph(name, changed, config, cuts, rewrite, joined);
    }

    /** The same denoiser, joined with other graphs. @param modules what these are called in the whole */
    DenoiserGraph joinedWith(List<String> modules, Graph whole) {
        return new DenoiserGraph(name, whole, config, cuts, rewrite, modules);
    }

    /** A denoiser that computes as its graph says. */
    public DenoiserGraph(String name, Graph graph, JsonObject config, List<Cut> cuts) {
        this(name, graph, config, cuts, new PrecisionRewrite(Precision.FP32), List.of());
    }

    /** The same denoiser in another precision; latents, timestep, conditions and prediction keep their types. */
    public DenoiserGraph withPrecision(Precision precision) {
        return new DenoiserGraph(name, graph, config, cuts, new PrecisionRewrite(precision), joined);
    }

    /** The same denoiser under another name. */
    public DenoiserGraph named(String other) {
        return new DenoiserGraph(other, graph, config, cuts, rewrite, joined);
    }

    /** diffusers' class of it, by its configuration; empty where that names none. */
    public Optional<String> className() {
        return ComponentKinds.className(new ConfigFile(Path.of(name, "config.json"), config));
    }

    /** The precision in which it computes. */
    public Precision precision() {
        return rewrite.precision();
    }

    /**
     * Reads the denoiser of a folder.
     *
     * @param format what to read it from; both, where the folder has both, are the same model
     * @throws dev.slipstream.pipelines.model.ModelException if the folder has no such form of it, or is damaged
     */
    public static DenoiserGraph read(ModelFolder folder, ComponentFormat format) {
        return read(folder, format, GraphOptions.NONE);
    }

    /** As {@link #read(ModelFolder, ComponentFormat)}, with a say in what is written of a checkpoint. */
    static DenoiserGraph read(ModelFolder folder, ComponentFormat format, GraphOptions options) {
        Graph graph = switch (format) {
            case ONNX -> GraphFile.read(withoutAdapter(folder).require(Component.DENOISER));
            case CHECKPOINT -> written(folder, options);
        };
        return new DenoiserGraph(folder.folder(Component.DENOISER).getFileName().toString(), graph, settings(folder),
            folder.cuts().map(ConfigFile::path).map(Cuts::read).orElse(List.of()));
    }

    /**
     * As {@link #read(ModelFolder, ComponentFormat)}, joined with what predicts without some blocks.
     *
     * @param blocks counted from 0
     * @throws dev.slipstream.pipelines.model.ModelException also if that cannot be written of such a denoiser
     */
    public static DenoiserGraph skipping(ModelFolder folder, ComponentFormat format, SortedSet<Integer> blocks) {
        DenoiserGraph denoiser = read(folder, format, GraphOptions.NONE.withSkipped(blocks));
        if (!denoiser.graph.isInput(Sd3Transformer.SKIPPING_SCALE)) {
            throw new ModelException(folder.folder(Component.DENOISER) + ": layers can be skipped in transformers of "
                + "Stable Diffusion 3 and 3.5 that are checkpoints; leave that out for this model");
        }
        return denoiser.joinedWith(List.of(Sd3Transformer.SKIPPING), denoiser.graph);
    }

    private static ModelFolder withoutAdapter(ModelFolder folder) {
        folder.motionAdapter().ifPresent(adapter -> {
            throw new ModelException(adapter.path() + ": a motion adapter is joined with a checkpoint, and the "
                + "denoiser of " + folder + " is a graph that an exporter wrote");
        });
        return folder;
    }

    /** With a motion adapter those of the model that diffusers makes of both. */
    private static JsonObject settings(ModelFolder folder) {
        JsonObject own = folder.config(Component.DENOISER).map(ConfigFile::root).orElseGet(JsonObject::new);
        return folder.motionAdapter().map(adapter -> MotionUNet.joined(own, adapter.config())).orElse(own);
    }

    private static Graph written(ModelFolder folder, GraphOptions options) {
        ConfigFile config = folder.requireConfig(Component.DENOISER);
        Optional<ConfigFile> adapter = folder.motionAdapter().map(MotionAdapter::config);
        if (adapter.isPresent()) {
            return ComponentKinds.of(adapter.get()).write(adapter.get(), folder.checkpoint(Component.DENOISER),
                options.withBase(config)).graph();
        }
        return ComponentKinds.of(config, ComponentKinds.USUAL_DENOISER)
            .write(config, folder.checkpoint(Component.DENOISER), options).graph();
    }

    /** Which tensor means what. */
    public DenoiserPorts ports() {
        List<String> conditions = graph.inputs().stream().map(ValueInfoProto::getName)
            .filter(input -> !input.equals(sample()) && !input.equals(TIMESTEP)).toList();
        return new DenoiserPorts(sample(), TIMESTEP, conditions, graph.outputs().getFirst().getName());
    }

    /**
     * What height and width of the latents must be multiples of: the side of patches, where the graph begins with them;
     * 2 for each block that halves latents, where the graph doubles them again, as exporters write it. Graphs that
     * enlarge to given sizes take any.
     */
    public int sideMultiple() {
        return Math.max(patchSide(), doubledSide());
    }

    private int patchSide() {
        return graph.consumers(sample()).stream().mapToInt(reader -> switch (reader.getOpType()) {
            case "SpaceToDepth" -> Math.toIntExact(Nodes.integer(reader, "blocksize", 1));
            case "Conv" -> Nodes.integers(reader, "strides").stream().findFirst().map(Math::toIntExact).orElse(1);
            default -> 1;
        }).max().orElse(1);
    }

    private int doubledSide() {
        boolean doubles = graph.nodes().stream().anyMatch(node -> node.getOpType().equals("Resize")
            && (node.getInputCount() < 4 || node.getInput(3).isEmpty()));
        return doubles && config.get("down_block_types") instanceof JsonArray blocks
            ? 1 << Math.clamp(blocks.size() - 1, 0, MOST_HALVINGS) : 1;
    }

    /** The same denoiser, which predicts 0 where its further input {@code repaint_mask} is 0. */
    public DenoiserGraph repainting() {
        return with(RepaintMask.rewrite(graph, sample()));
    }

    /**
     * Refuses rows that the graph does not take.
     *
     * @throws GraphException if the graph has a fixed batch of another size
     */
    void requireRows(long rows) {
        fixedSize(sample(), 0).ifPresent(batch -> {
            if (batch != rows) {
                throw new GraphException("denoiser " + name + " has a fixed batch of " + batch
                    + ", and this request needs one of " + rows + " (every picture takes one row, and two where one "
                    + "device predicts with and without the prompt); export it with an open batch, or take another "
                    + "batch");
            }
        });
    }

    /** The element type that the graph takes at an input. */
    public DataType elementType(String input) {
        return InputTypes.element(input(input)
            .orElseThrow(() -> new GraphException("denoiser " + name + " has no input '" + input + "'")));
    }

    /** The element type of a condition; float32 where it is none of the graph's own inputs. */
    public DataType conditionType(String name) {
        return graph.isInput(name) ? elementType(name) : DataType.FLOAT32;
    }

    /** The only size that the graph takes in a dimension of an input; empty if it leaves that open. */
    public OptionalLong fixedSize(String input, int dimension) {
        return input(input).map(info -> info.getType().getTensorType().getShape().getDimList())
            .filter(dims -> dims.size() > dimension && dims.get(dimension).hasDimValue())
            .map(dims -> OptionalLong.of(dims.get(dimension).getDimValue())).orElseGet(OptionalLong::empty);
    }

    /** How many dimensions an input has; empty if the graph does not say. */
    public OptionalInt rank(String input) {
        return input(input).map(info -> info.getType().getTensorType()).filter(type -> type.hasShape())
            .map(type -> OptionalInt.of(type.getShape().getDimCount())).orElseGet(OptionalInt::empty);
    }

    private Optional<ValueInfoProto> input(String wanted) {
        return graph.inputs().stream().filter(it -> it.getName().equals(wanted)).findFirst();
    }
}
