package dev.slipstream.pipelines.model.clip;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.LayerNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes CLIP text encoders as graphs, with the names that optimum's exports have.
 *
 * <p>Input: {@code input_ids} int64[batch_size, sequence_length], at most {@code max_position_embeddings} tokens.
 *
 * <p>Outputs, float32:
 * <ul>
 * <li>{@code last_hidden_state} [batch_size, sequence_length, width], after the final norm; always the first
 * <li>{@code pooler_output} [batch_size, width], the same at the end of the text
 * <li>{@code text_embeds} [batch_size, projected], {@code pooler_output} projected; only of {@code
 *     CLIPTextModelWithProjection}
 * <li>{@code hidden_states.0} to {@code hidden_states.N}, likewise without the final norm: the embeddings, then after
 *     each of the N layers. What SDXL reads is the last but one.
 * </ul>
 */
public final class ClipTextModel {
    public static final String LAST_HIDDEN_STATE = "last_hidden_state";
    public static final String POOLER_OUTPUT = "pooler_output";
    public static final String TEXT_EMBEDS = "text_embeds";

    /** A checkpoint's tensor of rows that come after the vocabulary's, which textual inversion adds. */
    public static final String ADDED_TOKENS = "added_tokens.weight";

    private static final String ADDED = "added_tokens";
    private static final String PREFIX = "text_model";
    private static final String TOKENS = "embeddings/token_embedding";

    private final ClipTextConfig config;
    private final GraphBuilder graph;
    private final int added;

    /** @param added rows after the vocabulary's */
    private ClipTextModel(ClipTextConfig config, GraphBuilder graph, int added) {
        this.config = config;
        this.graph = graph;
        this.added = added;
    }

    /** The name of the output after a layer. @param layer counted from 1; 0 for the embeddings */
    public static String hiddenState(int layer) {
        return "hidden_states." + layer;
    }

    /** The weights that a checkpoint of this configuration has, with their shapes. */
    public static Map<String, Shape> weights(ConfigFile config) {
        GraphBuilder graph = new GraphBuilder(config.path().toString(), config.path().toAbsolutePath().getParent(),
            Map.of());
        write(config, graph, GraphOptions.NONE);
        return graph.wanted();
    }

    /** The whole encoder. @see #write(ConfigFile, Checkpoint, int) */
    public static BuiltGraph write(ConfigFile config, Checkpoint checkpoint) {
        return write(config, checkpoint, 0);
    }

    /**
     * Writes the graph; its weights are float32, or converted to it.
     *
     * @param clipSkip how many of the last layers {@code last_hidden_state} leaves out, as diffusers' {@code clip_skip}
     *     for Stable Diffusion 1 and 2; other outputs do not change
     * @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported
     * @throws dev.slipstream.pipelines.graph.GraphException naming weights that are missing or of other shapes
     */
    public static BuiltGraph write(ConfigFile config, Checkpoint checkpoint, int clipSkip) {
        GraphBuilder graph = checkpoint.graph();
        write(config, graph, GraphOptions.withClipSkip(clipSkip));
        return graph.build();
    }

    /** As {@link #write(ConfigFile, Checkpoint, int)}, into a builder. */
    public static void write(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        int clipSkip = options.clipSkip();
        ClipTextConfig read = ClipTextConfig.read(config);
        if (clipSkip < 0 || clipSkip >= read.layers()) {
            throw new IllegalArgumentException("clip_skip must leave at least one of the " + read.layers()
                + " layers, so it cannot be " + clipSkip);
        }
        boolean projects = ClipTextConfig.projects(config, graph.root().child("text_projection").has("weight"));
        new ClipTextModel(read, graph, graph.root().child(ADDED).rows("weight")).write(projects, clipSkip);
    }

    private void write(boolean projects, int clipSkip) {
        Dim tokens = Dim.named("sequence_length");
        Value ids = graph.input("input_ids", DataType.INT64, Dim.named("batch_size"), tokens);
        // Some checkpoints were saved from inside the model, without the name of its only module.
        boolean bare = graph.root().child(TOKENS).has("weight");
        Scope model = bare ? graph.root() : graph.root().child(PREFIX);
        List<Value> states = states(model, ids);
        Value last = norm(model, states.getLast());
        graph.output(LAST_HIDDEN_STATE,
            clipSkip == 0 ? last : norm(model, states.get(states.size() - 1 - clipSkip)));
        Value pooled = EndOfText.pick(model, last, ids, added == 0 ? config.endOfText()
            : EndOfText.inVocabulary(config));
        graph.output(POOLER_OUTPUT, pooled);
        if (projects) {
            graph.output(TEXT_EMBEDS,
                Linear.withoutBias(graph.root().child("text_projection"), pooled, config.projected()));
        }
        for (int layer = 0; layer < states.size(); layer++) {
            graph.output(hiddenState(layer), states.get(layer));
        }
    }

    private Value norm(Scope model, Value x) {
        return LayerNorm.apply(model.child("final_layer_norm"), x, config.epsilon());
    }

    private List<Value> states(Scope model, Value ids) {
        Value length = model.gather(
            model.node("Shape", List.of(ids), Attributes.NONE, DataType.INT64, List.of(Dim.of(2))), model.integers(1));
        List<Value> states = new ArrayList<>(List.of(embeddings(model.child("embeddings"), ids, length)));
        Value mask = causalMask(model, ids.dim(1), length);
        ClipLayer layer = new ClipLayer(config.heads(), config.inner(), config.activation(), config.epsilon());
        for (int i = 0; i < config.layers(); i++) {
            states.add(layer.apply(model.child("encoder").child("layers", i), states.getLast(), Optional.of(mask)));
        }
        return states;
    }

    private Value embeddings(Scope scope, Value ids, Value length) {
        Value vocabulary = scope.child("token_embedding").weight("weight", config.vocabulary(), config.width());
        Value tokens = scope.gather(added == 0 ? vocabulary : scope.concat(0, vocabulary,
            graph.root().child(ADDED).weight("weight", added, config.width())), ids);
        Value table = scope.child("position_embedding").weight("weight", config.positions(), config.width());
        Value positions = scope.node("Slice", List.of(table, scope.integers(0), length, scope.integers(0)),
            Attributes.NONE, DataType.FLOAT32, List.of(ids.dim(1), table.dim(1)));
        return scope.add(tokens, positions);
    }

    /** [tokens, tokens]: 0 for the tokens that a token may attend to, itself and those before it. */
    private static Value causalMask(Scope scope, Dim tokens, Value length) {
        List<Dim> square = List.of(tokens, tokens);
        Value ones = scope.node("Expand", List.of(scope.scalar(1), scope.concat(0, length, length)), Attributes.NONE,
            DataType.FLOAT32, square);
        Value seen = scope.node("Trilu", List.of(ones), Attributes.NONE.integer("upper", 0), DataType.FLOAT32, square);
        // So low that its exponential is 0, but still finite in float16, since 0 · ∞ would be NaN.
        return scope.mul(scope.sub(seen, scope.scalar(1)), scope.scalar(30000));
    }

    /** Picks the state at the end of each text. */
    private static final class EndOfText {
        /** A wrong value in old configurations; models with this value look for the largest id instead. */
        private static final int HISTORICAL = 2;

        private EndOfText() {
        }

        /** Where ids come after the vocabulary's, the largest of a text is not its end any more. */
        static int inVocabulary(ClipTextConfig config) {
            return config.endOfText() == HISTORICAL ? config.vocabulary() - 1 : config.endOfText();
        }

        /**
         * The state at the first end-of-text token, which is the token with the largest id in the vocabularies of
         * models whose configuration says {@link #HISTORICAL}. In a row without that token it is the state at the first
         * token.
         *
         * @param states [rows, tokens, width]
         * @param ids int64[rows, tokens]
         * @return [rows, width]
         */
        static Value pick(Scope scope, Value states, Value ids, int endOfText) {
            Value found = endOfText == HISTORICAL ? ids
                : scope.node("Equal", List.of(ids, scope.integers(endOfText)), Attributes.NONE, DataType.BOOL,
                    ids.dims());
            Value position = scope.node("ArgMax", List.of(scope.cast(found, DataType.INT32)),
                Attributes.NONE.integer("axis", 1).integer("keepdims", 1), DataType.INT64,
                List.of(ids.dim(0), Dim.ONE));
            return scope.node("GatherND", List.of(states, position), Attributes.NONE.integer("batch_dims", 1),
                states.type(), List.of(states.dim(0), states.dim(2)));
        }
    }
}
