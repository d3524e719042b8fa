package dev.slipstream.pipelines.model.kind;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A kind of component that is written as graphs. All methods throw {@link
 * dev.slipstream.pipelines.model.ModelException}, which names the option that is wrong or not supported, or {@link
 * dev.slipstream.pipelines.graph.GraphException}, which names weights that are missing or misshapen.
 *
 * @param classes of diffusers or transformers that it serves
 * @param graphs what it consists of; they run independently of each other
 */
public record ComponentKind(List<String> classes, List<ComponentGraph> graphs) {
    /** The graph that makes pictures of latents. */
    public static final String DECODER = "decoder";
    /** The graph that makes latents of pictures. */
    public static final String ENCODER = "encoder";

    public ComponentKind {
        classes = List.copyOf(classes);
        graphs = List.copyOf(graphs);
    }

    /** The only graph. @throws ModelException if the component is one of several, or of none */
    public BuiltGraph write(ConfigFile config, Checkpoint checkpoint, GraphOptions options) {
        if (graphs.size() != 1) {
            throw config.wrong("_class_name", "is of " + String.join(", ", classes) + ", which is not one graph but "
                + graphs.stream().map(ComponentGraph::name).toList());
        }
        return graphs.getFirst().write(config, checkpoint, options);
    }

    /** The graph of a name. @throws ModelException if the component has no such graph */
    public BuiltGraph write(String name, ConfigFile config, Checkpoint checkpoint) {
        return graphs.stream().filter(graph -> graph.name().equals(name)).findFirst()
            .orElseThrow(() -> config.wrong("_class_name", "is of " + String.join(", ", classes) + ", which has no "
                + name))
            .write(config, checkpoint, GraphOptions.NONE);
    }

    /** The weights that a checkpoint of this configuration has, with their shapes. */
    public Map<String, Shape> weights(ConfigFile config) {
        return weights(config, GraphOptions.NONE);
    }

    /** The same, as the options have it; of an adapter and its base the weights of both. */
    public Map<String, Shape> weights(ConfigFile config, GraphOptions options) {
        Map<String, Shape> weights = new LinkedHashMap<>();
        for (ComponentGraph graph : graphs) {
            GraphBuilder builder = new GraphBuilder(config.path().toString(),
                config.path().toAbsolutePath().getParent(), Map.of());
            graph.writer().write(config, builder, options);
            weights.putAll(builder.wanted());
        }
        return weights;
    }

    /** Writes inputs, nodes and outputs of one graph. */
    @FunctionalInterface
    public interface GraphWriter {
        void write(ConfigFile config, GraphBuilder builder, GraphOptions options);
    }

    /** The names by which people ask for the outputs of a graph. */
    @FunctionalInterface
    public interface OutputNames {
        /** The graph's own. */
        OutputNames OWN = (config, tensors) -> tensors.stream().map(NamedOutput::of).toList();

        /** @param tensors the graph's outputs */
        List<NamedOutput> of(ConfigFile config, List<String> tensors);

        /** These and no others. */
        static OutputNames only(NamedOutput... outputs) {
            return (config, tensors) -> List.of(outputs);
        }
    }

    /**
     * One graph of a component.
     *
     * @param name what messages call it
     */
    public record ComponentGraph(String name, GraphWriter writer, OutputNames outputs) {
        public BuiltGraph write(ConfigFile config, Checkpoint checkpoint, GraphOptions options) {
            GraphBuilder builder = checkpoint.graph();
            writer.write(config, builder, options);
            return builder.build();
        }
    }
}
