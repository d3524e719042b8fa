package dev.slipstream.samples.run;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.diffusion.denoise.FractionalTimesteps;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.kind.ComponentKind.ComponentGraph;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One component on disk: an ONNX graph, or a checkpoint from which graphs are written.
 *
 * @param path the file of the graph, or the folder of the checkpoint
 * @param base folder of the component that an adapter is joined with
 */
record ComponentFolder(Path path, ComponentFormat format, Optional<Path> base) {
    private static final String TIMESTEP = "timestep";

    /**
     * Finds out which of them it is; nothing large is read.
     *
     * @param path a folder with {@code model.onnx}, or with {@code config.json} and safetensors; or an ONNX file
     * @param format which of them, if both are there; empty for the graph
     * @param base folder of the component that an adapter is joined with
     */
    static ComponentFolder of(Path path, Optional<ComponentFormat> format, Optional<Path> base) {
        ComponentFolder found = of(path, format);
        if (base.isPresent() && found.format == ComponentFormat.ONNX) {
            throw new InputException("--base is for adapters, and " + found.path + " is a whole graph; leave it out");
        }
        return new ComponentFolder(found.path, found.format, base);
    }

    private static ComponentFolder of(Path path, Optional<ComponentFormat> format) {
        if (InputFile.isThere(path) && !Files.isDirectory(path)) {
            if (path.toString().endsWith(".safetensors")) {
                throw new InputException(path + " is one file of a checkpoint; give the folder that it lies in");
            }
            return new ComponentFolder(path, ComponentFormat.ONNX, Optional.empty());
        }
        if (!Files.isDirectory(path)) {
            throw new InputException("there is no folder " + path + "; give that of one component, like text_encoder/");
        }
        return switch (format.orElseGet(() -> formatOf(path))) {
            case CHECKPOINT -> new ComponentFolder(path, ComponentFormat.CHECKPOINT, Optional.empty());
            case ONNX -> new ComponentFolder(graph(path, format.isPresent()), ComponentFormat.ONNX, Optional.empty());
        };
    }

    /** A folder with a configuration but no graph is a checkpoint, whose reader reports missing weights. */
    private static ComponentFormat formatOf(Path folder) {
        boolean graph = InputFile.isThere(folder.resolve("model.onnx"));
        return !graph && InputFile.isThere(folder.resolve("config.json")) ? ComponentFormat.CHECKPOINT
            : ComponentFormat.of(folder);
    }

    private static Path graph(Path folder, boolean asked) {
        Path file = folder.resolve("model.onnx");
        if (!InputFile.isThere(file)) {
            throw new InputException(folder + (asked
                ? " has no model.onnx; leave out --from to run the checkpoint, if it has one"
                : " has neither a model.onnx nor a config.json with safetensors; give the folder of one component, "
                    + "like text_encoder/"));
        }
        return file;
    }

    /**
     * Reads the graph, or writes those of the checkpoint.
     *
     * @param inputs that are given; a checkpoint's graph has those of its optional ones that are among them
     */
    Graphs read(Collection<String> inputs) {
        if (format == ComponentFormat.ONNX) {
            return new Graphs(List.of(Part.of(path.getFileName().toString(), GraphFile.read(path))), List.of());
        }
        ConfigFile config = ConfigFile.read(path.resolve("config.json"));
        Checkpoint checkpoint = base.map(folder -> Checkpoint.open(path).with(Checkpoint.open(folder)))
            .orElseGet(() -> Checkpoint.open(path));
        GraphOptions options = base.map(folder -> GraphOptions.withInputs(inputs)
            .withBase(ConfigFile.read(folder.resolve("config.json")))).orElseGet(() -> GraphOptions.withInputs(inputs));
        List<Part> parts = new ArrayList<>();
        Set<String> ignored = new LinkedHashSet<>(checkpoint.weights().keySet());
        for (ComponentGraph graph : ComponentKinds.of(config).graphs()) {
            BuiltGraph built = graph.write(config, checkpoint, options);
            ignored.retainAll(built.ignored());
            List<String> tensors = built.graph().outputs().stream().map(ValueInfoProto::getName).toList();
            parts.add(new Part(graph.name(), inLoop(built.graph()), graph.outputs().of(config, tensors)));
        }
        return new Graphs(parts, List.copyOf(ignored));
    }

    /** A denoiser as in a loop, where timesteps may have fractions. */
    private static Graph inLoop(Graph graph) {
        return graph.isInput(TIMESTEP) ? FractionalTimesteps.allow(graph, TIMESTEP) : graph;
    }

    /**
     * What a component is run as.
     *
     * @param parts its graphs, which run independently of each other
     * @param ignored tensors of the checkpoint that no graph uses
     */
    record Graphs(List<Part> parts, List<String> ignored) {
        Graphs {
            parts = List.copyOf(parts);
            ignored = List.copyOf(ignored);
        }
    }
}
