package dev.slipstream.pipelines.model.clip;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.config.PretrainedOptions;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.LayerNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes transformers' {@code CLIPVisionModelWithProjection} as a graph, with which Stable Video Diffusion sees the
 * picture that it is given.
 *
 * <p>Input: {@code pixel_values} float32[batch_size, channels, image_size, image_size], normalised as the model's
 * preprocessor says. Outputs, float32: {@code image_embeds} [batch_size, projected], and {@code last_hidden_state}
 * [batch_size, 1 + patches, width] without the final norm.
 */
public final class ClipVisionModel {
    public static final String PIXEL_VALUES = "pixel_values";
    public static final String IMAGE_EMBEDS = "image_embeds";
    public static final String LAST_HIDDEN_STATE = "last_hidden_state";

    private final VisionConfig config;

    private ClipVisionModel(VisionConfig config) {
        this.config = config;
    }

    /** Adds inputs, nodes and outputs. */
    public static void write(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new ClipVisionModel(VisionConfig.read(config)).write(graph);
    }

    private void write(GraphBuilder graph) {
        Scope model = graph.root().child("vision_model");
        Value pixels = graph.input(PIXEL_VALUES, DataType.FLOAT32, Dim.named("batch_size"), Dim.of(config.channels()),
            Dim.of(config.side()), Dim.of(config.side()));
        // The name has this spelling in all checkpoints.
        Value x = norm(model.child("pre_layrnorm"), embeddings(model.child("embeddings"), pixels));
        ClipLayer layer = new ClipLayer(config.heads(), config.inner(), config.activation(), config.epsilon());
        for (int i = 0; i < config.layers(); i++) {
            x = layer.apply(model.child("encoder").child("layers", i), x, Optional.empty());
        }
        Value whole = model.node("Gather", List.of(x, model.integer(0)), Attributes.NONE.integer("axis", 1),
            DataType.FLOAT32, List.of(x.dim(0), x.dim(2)));
        graph.output(IMAGE_EMBEDS, Linear.withoutBias(graph.root().child("visual_projection"),
            norm(model.child("post_layernorm"), whole), config.projected()));
        graph.output(LAST_HIDDEN_STATE, x);
    }

    private Value norm(Scope scope, Value x) {
        return LayerNorm.apply(scope, x, config.epsilon());
    }

    /** One token for the whole picture, then one for each patch. */
    private Value embeddings(Scope scope, Value pixels) {
        int width = config.width();
        int patch = config.patch();
        Scope convolution = scope.child("patch_embedding");
        Value patches = convolution.conv(pixels,
            convolution.weight("weight", width, config.channels(), patch, patch), patch, 0);
        long count = config.patches();
        Value tokens = scope.transpose(scope.reshape(patches, pixels.dim(0), Dim.of(width), Dim.of(count)), 0, 2, 1);
        Value first = scope.view("class_embedding", new long[] {width}, 1, 1, width);
        Value rows = scope.concat(0, scope.size(pixels, 0), scope.integers(1, width));
        Value whole = scope.node("Expand", List.of(first, rows), Attributes.NONE, DataType.FLOAT32,
            List.of(pixels.dim(0), Dim.ONE, Dim.of(width)));
        Value positions = scope.child("position_embedding").weight("weight", count + 1, width);
        return scope.add(scope.concat(1, whole, tokens), positions);
    }

    /**
     * The settings, with transformers' defaults filled in.
     *
     * @param width of the hidden states
     * @param inner width between the two linear layers of a block
     * @param projected width of {@code image_embeds}
     * @param side pixels along each side of the picture
     * @param patch pixels along each side of a patch
     */
    private record VisionConfig(int width, int inner, int projected, int layers, int heads, int channels, int side,
        int patch, Activation activation, double epsilon) {

        private static final Set<String> TYPES = Set.of("clip_vision_model", "clip");
        private static final SupportedOptions SUPPORTED = PretrainedOptions.with(Set.of("architectures", "model_type",
            "hidden_size", "intermediate_size", "projection_dim", "num_hidden_layers", "num_attention_heads",
            "num_channels", "image_size", "patch_size", "hidden_act", "layer_norm_eps"), Set.of("eos_token_id"),
            Map.of("is_encoder_decoder", "false"), Set.of("hidden_act"));
        /** More than any model has; a damaged file must not ask for millions. */
        private static final int MOST_LAYERS = 1000;

        /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
        static VisionConfig read(ConfigFile config) {
            String type = config.text("model_type").orElse("clip_vision_model");
            if (!TYPES.contains(type)) {
                throw config.wrong("model_type", "is \"" + type + "\", which is no CLIP picture encoder");
            }
            PretrainedOptions.refuseQuantized(config);
            SUPPORTED.check(config);
            int width = config.positiveInteger("hidden_size", 768);
            int heads = config.positiveInteger("num_attention_heads", 12);
            if (width % heads != 0) {
                throw config.wrong("num_attention_heads", "is " + heads + ", which does not divide hidden_size "
                    + width);
            }
            int layers = config.positiveInteger("num_hidden_layers", 12);
            if (layers > MOST_LAYERS) {
                throw config.wrong("num_hidden_layers", "must be at most " + MOST_LAYERS + ", not " + layers);
            }
            int side = config.positiveInteger("image_size", 224);
            int patch = config.positiveInteger("patch_size", 32);
            if (patch > side) {
                throw config.wrong("patch_size", "is " + patch + ", more than image_size " + side);
            }
            return new VisionConfig(width, config.positiveInteger("intermediate_size", 3072),
                config.positiveInteger("projection_dim", 512), layers, heads,
                config.positiveInteger("num_channels", 3), side, patch,
                Activation.of(config, "hidden_act", Activation.QUICK_GELU), config.number("layer_norm_eps", 1e-5));
        }

        /** What does not fill a patch at the right and below is left out. */
        long patches() {
            long along = side / patch;
            return along * along;
        }
    }
}
