package dev.slipstream.pipelines.diffusion.component;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.TextLayout.Pooled;
import dev.slipstream.pipelines.diffusion.component.TextLayout.States;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.t5.T5Encoder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A text encoder with its tokenizer, fixed to two prompts; nothing is built yet.
 *
 * @param graph for ids {@code [2, tokens]}, and maybe a mask like them, see {@link #mask}
 * @param states the output that attention reads, {@code [2, tokens, width]}, if it is used
 * @param pooled the output that stands for the whole text, {@code [2, width]}, if it is used
 */
public record TextEncoderGraph(Tokenizer tokenizer, StaticGraph graph, Optional<String> states,
    Optional<String> pooled) {
    private static final String MASK = T5Encoder.ATTENTION_MASK;

    /**
     * Leaves of a graph what the layout reads.
     *
     * @param name of the encoder's folder
     * @param clipSkip how many more of the last layers are left out, where the last one is left out anyway
     * @param masked whether the graph is told which tokens are the prompt's
     * @throws GraphException if the graph does not make it
     */
    static TextEncoderGraph of(String name, Graph graph, Tokenizer tokenizer, TextLayout.Encoder encoder,
        int clipSkip, boolean masked) {
        List<String> outputs = graph.outputs().stream().map(ValueInfoProto::getName).toList();
        Optional<String> states = states(name, outputs, encoder.states(), clipSkip);
        Optional<String> pooled = pooled(name, outputs, encoder.pooled());
        List<String> wanted = Stream.concat(states.stream(), pooled.stream()).toList();
        Graph pruned = GraphPruner.prune(graph.with(graph.inputs(), graph.outputs().stream()
            .filter(output -> wanted.contains(output.getName())).toList(), graph.nodes(), graph.weights()));
        Map<String, TensorType> inputs = new LinkedHashMap<>();
        ValueInfoProto ids = graph.inputs().getFirst();
        inputs.put(ids.getName(), TensorType.of(InputTypes.element(ids), 2, tokenizer.length()));
        if (masked) {
            ValueInfoProto mask = graph.inputs().stream().filter(input -> input.getName().equals(MASK)).findFirst()
                .orElseThrow(() -> new GraphException(name + " has no input " + MASK + ", which this model needs; "
                    + "export it with that input, or take its checkpoint"));
            inputs.put(MASK, TensorType.of(InputTypes.element(mask), 2, tokenizer.length()));
        }
        return new TextEncoderGraph(tokenizer, StaticGraph.fix(name, pruned, inputs), states, pooled);
    }

    /** The input that is told which tokens are the prompt's, as 1, and which are not, as 0, if there is one. */
    Optional<String> mask() {
        return graph.inputs().containsKey(MASK) ? Optional.of(MASK) : Optional.empty();
    }

    /** The input for the tokens. */
    String ids() {
        return graph.inputs().keySet().stream().filter(input -> !input.equals(MASK)).findFirst().orElseThrow();
    }

    private static Optional<String> states(String name, List<String> outputs, States wanted, int clipSkip) {
        return switch (wanted) {
            case NONE -> Optional.empty();
            case LAST -> Optional.of(outputs.getFirst());
            case PENULTIMATE -> Optional.of(penultimate(name, outputs, clipSkip));
        };
    }

    private static String penultimate(String name, List<String> outputs, int clipSkip) {
        int layers = 0;
        while (outputs.contains(ClipTextModel.hiddenState(layers + 1))) {
            layers++;
        }
        int layer = layers - 1 - clipSkip;
        if (layer < 0) {
            throw new GraphException(name + " has the outputs of " + layers + " layers, of which this model reads the "
                + "last but one" + (clipSkip > 0 ? ", less the " + clipSkip + " of clip_skip" : "")
                + "; export it with all hidden states, or take its checkpoint");
        }
        return ClipTextModel.hiddenState(layer);
    }

    private static Optional<String> pooled(String name, List<String> outputs, Pooled wanted) {
        Optional<String> output = switch (wanted) {
            case NONE -> Optional.empty();
            case STATE -> Optional.of(ClipTextModel.POOLER_OUTPUT);
            case PROJECTED -> Optional.of(ClipTextModel.TEXT_EMBEDS);
        };
        output.filter(it -> !outputs.contains(it)).ifPresent(missing -> {
            throw new GraphException(name + " has no output " + missing + ", which this model reads");
        });
        return output;
    }

    /** The type of the states, for both prompts. */
    Optional<TensorType> statesType() {
        return states.map(graph.outputs()::get);
    }

    /** The type of the pooled text, for both prompts. */
    Optional<TensorType> pooledType() {
        return pooled.map(graph.outputs()::get);
    }

    /** Numbers of a token's states. */
    long width() {
        return statesType().map(type -> type.shape().dim(2)).orElse(0L);
    }
}
