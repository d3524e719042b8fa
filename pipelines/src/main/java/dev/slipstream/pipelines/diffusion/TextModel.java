package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.text.PromptChunk;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A text encoder with its tokenizer, fixed to two prompts; nothing is built yet.
 *
 * @param states the output that cross-attention reads, {@code [2, tokens, width]}
 * @param pooled the output that stands for the whole text, {@code [2, width]}, if it is used
 */
record TextModel(Tokenizer tokenizer, ComponentModel model, String states, Optional<String> pooled) {
    /** The encoder of Stable Diffusion 1 and 2, of which the first output is read. */
    static TextModel last(Graph graph, Tokenizer tokenizer) {
        return fix("text_encoder", graph, tokenizer, graph.outputs().getFirst().getName(), Optional.empty());
    }

    /**
     * An encoder of SDXL: its last layer is left out, and the second encoder's text is also read as a whole.
     *
     * @param clipSkip how many more of the last layers are left out
     */
    static TextModel penultimate(String name, Graph graph, Tokenizer tokenizer, int clipSkip, boolean pooled) {
        List<String> outputs = graph.outputs().stream().map(ValueInfoProto::getName).toList();
        int layers = 0;
        while (outputs.contains(ClipTextModel.hiddenState(layers + 1))) {
            layers++;
        }
        int layer = layers - 1 - clipSkip;
        if (layer < 0) {
            throw new GraphException(name + " has the outputs of " + layers + " layers, of which SDXL reads the last "
                + "but one" + (clipSkip > 0 ? ", less the " + clipSkip + " of clip_skip" : "")
                + "; export it with all hidden states, or take its checkpoint");
        }
        return fix(name, graph, tokenizer, ClipTextModel.hiddenState(layer),
            pooled ? Optional.of(ClipTextModel.TEXT_EMBEDS) : Optional.empty());
    }

    private static TextModel fix(String name, Graph graph, Tokenizer tokenizer, String states,
        Optional<String> pooled) {
        List<ValueInfoProto> read = graph.outputs().stream().filter(output -> output.getName().equals(states)
            || pooled.filter(output.getName()::equals).isPresent()).toList();
        if (pooled.isPresent() && read.size() < 2) {
            throw new GraphException(name + " has no output " + pooled.get() + ", which SDXL reads");
        }
        Graph pruned = GraphPruner.prune(graph.with(graph.inputs(), read, graph.nodes(), graph.weights()));
        ValueInfoProto ids = graph.inputs().getFirst();
        return new TextModel(tokenizer, ComponentModel.fix(name, pruned, Map.of(ids.getName(),
            TensorType.of(InputTypes.element(ids), 2, tokenizer.length()))), states, pooled);
    }

    /** A prompt in this many chunks; those that it does not fill are empty prompts. */
    List<PromptChunk> chunks(String prompt, PromptReading reading, int count) {
        List<PromptChunk> chunks = new ArrayList<>(reading.chunks(tokenizer, prompt));
        PromptChunk empty = tokenizer.encode("").chunks().getFirst();
        while (chunks.size() < count) {
            chunks.add(empty);
        }
        return chunks;
    }

    TensorType statesType() {
        return model.outputs().get(states);
    }
}
