package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.join.GraphJoin;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Joins ControlNets with a denoiser by the names of what they make and of what it takes. Residuals of several are added
 * up. Each one's own inputs, the picture and its scale, keep their names where it is the only one, else they are those
 * of its module: {@code controlnet_1.conditioning_scale}.
 */
public final class ControlNets {
    /** What ControlNets call their residuals, and denoisers the inputs for them; exporters number them otherwise. */
    private static final Map<String, String> TIES = Map.of("down_block_res_sample",
        "down_block_additional_residual", "mid_block_res_sample", "mid_block_additional_residual",
        "controlnet_block_sample", "block_controlnet_hidden_state");
    private static final Pattern NUMBERED = Pattern.compile("(.*?)s?(?:[._](\\d+))?");

    private static final String FOLDER = "controlnet";

    private ControlNets() {
    }

    /** What a residual is, whoever numbered it. */
    private record Residual(String kind, String number) {
        static Residual of(String name) {
            Matcher parts = NUMBERED.matcher(name);
            if (!parts.matches()) {
                throw new IllegalStateException(name);
            }
            return new Residual(parts.group(1), Optional.ofNullable(parts.group(2)).orElse(""));
        }
    }

    /**
     * The ControlNets in a folder of a model, as diffusers saves them: {@code controlnet}, {@code controlnet_1}, ...
     *
     * @param format what to read them from, where they have both
     * @return their graphs by the names of their folders; none if there are none
     * @throws dev.slipstream.pipelines.model.ModelException naming what is wrong with one
     */
    public static Map<String, Graph> beside(Path model, ComponentFormat format) {
        Map<String, Graph> controls = new LinkedHashMap<>();
        for (int i = 0; ; i++) {
            String name = FOLDER + (i == 0 ? "" : "_" + i);
            Path folder = model.resolve(name);
            if (!Files.isDirectory(folder)) {
                return controls;
            }
            Path graph = folder.resolve("model.onnx");
            controls.put(name, format == ComponentFormat.ONNX && InputFile.isThere(graph) ? GraphFile.read(graph)
                : ControlNetPart.written(folder));
        }
    }

    /**
     * Reads the denoiser of a folder, joined with ControlNets: one network, which every plan cuts.
     *
     * @param controls their graphs, by the names of their modules
     * @throws GraphException if they make other residuals than the denoiser takes
     */
    public static DenoiserGraph denoiser(ModelFolder folder, ComponentFormat format, Map<String, Graph> controls) {
        return joined(alone(folder, format, controls), controls);
    }

    private static DenoiserGraph alone(ModelFolder folder, ComponentFormat format, Map<String, Graph> controls) {
        return DenoiserGraph.read(folder, format, GraphOptions.withInputs(residuals(controls.values())));
    }

    private static DenoiserGraph joined(DenoiserGraph alone, Map<String, Graph> controls) {
        Map<String, Graph> fractional = new LinkedHashMap<>(controls);
        fractional.replaceAll((module, control) -> FractionalTimesteps.allow(control, alone.ports().timestep()));
        return withRowsAtScales(alone.joinedWith(List.copyOf(controls.keySet()), join(alone.graph(), fractional)));
    }

    /**
     * A denoiser that ControlNets steer.
     *
     * @param controls how each is told what it is to do, in the order of their folders
     */
    public record Steered(DenoiserGraph denoiser, List<ControlNetPart> controls) {
        public Steered {
            controls = List.copyOf(controls);
        }
    }

    /**
     * As {@link #denoiser}, for pipelines: where that takes one scale of each ControlNet, this takes one for each of
     * its residuals and each row of the batch, and the latents' channels of a denoiser that has more.
     *
     * @param folders of the ControlNets
     * @throws ModelException naming the ControlNet that does not fit, and why
     */
    public static Steered steered(ModelFolder folder, ComponentFormat format, List<Path> folders) {
        Map<String, Graph> controls = new LinkedHashMap<>();
        for (Path each : folders) {
            controls.put(FOLDER + (controls.isEmpty() ? "" : "_" + controls.size()), ControlNetPart.read(each));
        }
        DenoiserGraph alone = alone(folder, format, controls);
        List<ControlNetPart> parts = new ArrayList<>();
        controls.replaceAll((module, control) -> {
            Path from = folders.get(parts.size());
            try {
                Graph fitted = ControlNetPart.fitted(control, alone, from);
                requireInputs(alone, folder, format);
                join(alone.graph(), Map.of(module, fitted));
                parts.add(ControlNetPart.of(module, from, fitted, controls.size() > 1));
                return fitted;
            } catch (GraphException unfit) {
                throw new ModelException(from + ": this ControlNet does not fit the denoiser of " + folder + ": "
                    + unfit.getMessage(), unfit);
            }
        });
        return new Steered(joined(alone, controls), parts);
    }

    private static void requireInputs(DenoiserGraph denoiser, ModelFolder folder, ComponentFormat format) {
        if (denoiser.graph().inputs().stream().noneMatch(input -> isResidual(input.getName()))) {
            throw new ModelException(folder + ": the denoiser takes nothing of what ControlNets add; "
                + (format == ComponentFormat.ONNX ? "take its checkpoint, or export it with inputs for that"
                    : "leave them out"));
        }
    }

    /** The inputs for what these make, as graphs that are written from checkpoints have them. */
    static List<String> residuals(Collection<Graph> controls) {
        return controls.stream().flatMap(control -> control.outputs().stream()).map(output -> {
            Residual residual = taken(output.getName());
            return residual.kind() + (residual.number().isEmpty() ? "" : "s." + residual.number());
        }).distinct().toList();
    }

    private static Residual taken(String output) {
        Residual residual = Residual.of(output);
        return new Residual(TIES.getOrDefault(residual.kind(), ""), residual.number());
    }

    /** Exporters give a scale no rows. */
    private static DenoiserGraph withRowsAtScales(DenoiserGraph joined) {
        DenoiserGraph changed = joined;
        for (String condition : joined.ports().conditions()) {
            if (condition.endsWith(ControlNetPart.SCALE) && joined.fixedSize(condition, 0).isPresent()) {
                changed = LoopAdapter.rowed(changed, condition);
            }
        }
        return changed;
    }

    /** Whether a denoiser's input is for what ControlNets make. */
    static boolean isResidual(String input) {
        return TIES.containsValue(Residual.of(input).kind());
    }

    /**
     * @param controls by the names of their modules, in the order in which their residuals are added up
     * @throws GraphException if they make other residuals than the denoiser takes
     */
    static Graph join(Graph denoiser, Map<String, Graph> controls) {
        GraphJoin join = new GraphJoin();
        Map<Residual, List<String>> made = new LinkedHashMap<>();
        controls.forEach((name, control) -> {
            Map<String, List<String>> feeds = new LinkedHashMap<>();
            control.inputs().stream().map(ValueInfoProto::getName).filter(input -> !denoiser.isInput(input)
                && controls.size() > 1).forEach(input -> feeds.put(input, List.of(name + "." + input)));
            join.add(name, control, feeds);
            for (ValueInfoProto output : control.outputs()) {
                made.computeIfAbsent(taken(output.getName()), key -> new ArrayList<>())
                    .add(GraphJoin.name(name, output.getName()));
            }
        });
        Map<String, List<String>> feeds = new LinkedHashMap<>();
        denoiser.inputs().stream().map(ValueInfoProto::getName).filter(ControlNets::isResidual).forEach(input -> {
            List<String> sources = made.remove(Residual.of(input));
            if (sources == null) {
                throw new GraphException("the denoiser takes " + input + ", which none of " + controls.keySet()
                    + " makes");
            }
            feeds.put(input, sources);
        });
        if (!made.isEmpty()) {
            throw new GraphException("the denoiser takes nothing of " + made.values()
                + "; that is not a ControlNet for it");
        }
        return join.add("", denoiser, feeds).joined();
    }
}
