package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.Cut;
import dev.slipstream.pipelines.graph.Cuts;
import dev.slipstream.pipelines.graph.BalancedCut;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.graph.precision.PrecisionRewrite;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFile;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.unet.UNet;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.run.DenoiserPorts;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * A denoiser before it has sizes: its graph, its configuration and the cuts that come with it.
 *
 * @param name what segments, errors and timelines call it, for example {@code unet}
 * @param graph inputs {@code sample}, {@code timestep} and conditions; its first output is the prediction
 * @param config the model's {@code config.json}; empty where there is none
 * @param cuts named cuts from beside the model, best first
 * @param rewrite gives the graph its precision, once its shapes are fixed
 */
public record DenoiserModel(String name, Graph graph, JsonObject config, List<Cut> cuts, PrecisionRewrite rewrite) {
    private static final String SAMPLE = "sample";
    private static final String TIMESTEP = "timestep";
    /** A side of so many powers of two is beyond every picture. */
    private static final int MOST_HALVINGS = 16;

    public DenoiserModel {
        cuts = List.copyOf(cuts);
        for (String needed : List.of(SAMPLE, TIMESTEP)) {
            if (!graph.isInput(needed)) {
                throw new GraphException("denoiser " + name + " has no input '" + needed + "'; it has "
                    + graph.inputs().stream().map(ValueInfoProto::getName).collect(Collectors.joining(", ")));
            }
        }
        graph = FractionalTimesteps.allow(graph, TIMESTEP);
    }

    /** A denoiser that computes as its graph says. */
    public DenoiserModel(String name, Graph graph, JsonObject config, List<Cut> cuts) {
        this(name, graph, config, cuts, new PrecisionRewrite(Precision.FP32));
    }

    /** The same denoiser in another precision; latents, timestep, conditions and prediction keep their types. */
    public DenoiserModel withPrecision(Precision precision) {
        return new DenoiserModel(name, graph, config, cuts, new PrecisionRewrite(precision));
    }

    /** The same denoiser under another name. */
    DenoiserModel named(String other) {
        return new DenoiserModel(other, graph, config, cuts, rewrite);
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
    public static DenoiserModel read(ModelFolder folder, ComponentFormat format) {
        Graph graph = switch (format) {
            case ONNX -> GraphFile.read(folder.require(Component.DENOISER));
            case CHECKPOINT -> UNet.write(ConfigFile.read(ComponentFile.CONFIG.in(folder.folder(Component.DENOISER))),
                folder.checkpoint(Component.DENOISER)).graph();
        };
        return new DenoiserModel("unet", graph,
            folder.config(Component.DENOISER).map(ConfigFile::root).orElseGet(JsonObject::new),
            folder.cuts().map(ConfigFile::path).map(Cuts::read).orElse(List.of()));
    }

    /** Which tensor means what. */
    public DenoiserPorts ports() {
        List<String> conditions = graph.inputs().stream().map(ValueInfoProto::getName)
            .filter(input -> !input.equals(SAMPLE) && !input.equals(TIMESTEP)).toList();
        return new DenoiserPorts(SAMPLE, TIMESTEP, conditions, graph.outputs().getFirst().getName());
    }

    /**
     * What becomes of timesteps between whole ones, in one sentence, where the graph computes with integers.
     *
     * @param timesteps those that it will be given; asked for only where the graph needs whole ones
     */
    Optional<String> complaint(Supplier<DoubleStream> timesteps) {
        List<String> cutting = FractionalTimesteps.cutBy(graph, TIMESTEP);
        if (cutting.isEmpty()) {
            return Optional.empty();
        }
        DoubleSummaryStatistics lost = timesteps.get().map(timestep -> timestep - Math.floor(timestep))
            .filter(part -> part > 0).summaryStatistics();
        return lost.getCount() == 0 ? Optional.empty() : Optional.of(String.format(Locale.ROOT,
            "%d timesteps of this noise scheduler lie between whole ones and are cut off, by up to %.2f, as the graph "
                + "of denoiser %s needs integers (node %s); take its checkpoint, or another noise scheduler",
            lost.getCount(), lost.getMax(), name, String.join(", ", cutting)));
    }

    /**
     * What height and width of the latents must be multiples of: 2 for each block that halves them, where the graph
     * doubles them again, as exporters write it. Graphs that enlarge to given sizes take any.
     */
    int sideMultiple() {
        boolean doubles = graph.nodes().stream().anyMatch(node -> node.getOpType().equals("Resize")
            && (node.getInputCount() < 4 || node.getInput(3).isEmpty()));
        return doubles && config.get("down_block_types") instanceof JsonArray blocks
            ? 1 << Math.clamp(blocks.size() - 1, 0, MOST_HALVINGS) : 1;
    }

    /** The same denoiser, which predicts 0 where its further input {@code repaint_mask} is 0. */
    DenoiserModel repainting() {
        return new DenoiserModel(name, RepaintMask.rewrite(graph, SAMPLE), config, cuts, rewrite);
    }

    /**
     * Refuses rows that the graph does not take.
     *
     * @throws GraphException if the graph has a fixed batch of another size
     */
    void requireRows(long rows) {
        fixedSize(SAMPLE, 0).ifPresent(batch -> {
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

    /** The only size that the graph takes in a dimension of an input; empty if it leaves that open. */
    OptionalLong fixedSize(String input, int dimension) {
        return input(input).map(info -> info.getType().getTensorType().getShape().getDimList())
            .filter(dims -> dims.size() > dimension && dims.get(dimension).hasDimValue())
            .map(dims -> OptionalLong.of(dims.get(dimension).getDimValue())).orElseGet(OptionalLong::empty);
    }

    private Optional<ValueInfoProto> input(String wanted) {
        return graph.inputs().stream().filter(it -> it.getName().equals(wanted)).findFirst();
    }

    /**
     * The cut for a number of components: the one of that name; else the first beside the model that has as many; else
     * the table of the published implementation for this architecture; else contiguous parts of equal cost.
     *
     * @param cost of a node, for parts of equal cost
     */
    public Cut cut(Optional<String> wanted, int components, ToDoubleFunction<NodeProto> cost) {
        if (wanted.isPresent()) {
            Cut cut = cuts.stream().filter(it -> it.name().equals(wanted.get())).findFirst()
                .orElseThrow(() -> new PlanException("there is no cut '" + wanted.get()
                    + "' beside the model; there are " + cuts.stream().map(Cut::name).toList()));
            if (cut.components().size() != components) {
                throw new PlanException("cut '" + cut.name() + "' has " + cut.components().size()
                    + " components, the plan needs " + components);
            }
            return cut;
        }
        return cuts.stream().filter(cut -> cut.components().size() == components).findFirst()
            .or(() -> Cuts.reference(config, components))
            .orElseGet(() -> BalancedCut.of(graph, components, Set.of(SAMPLE), cost));
    }
}
