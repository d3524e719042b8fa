package dev.slipstream.pipelines.model.clip;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.PretrainedOptions;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The settings of a CLIP text encoder, with transformers' defaults filled in.
 *
 * @param vocabulary number of tokens
 * @param width of the hidden states
 * @param inner width between the two linear layers of a block
 * @param projected width of {@code text_embeds}
 * @param positions the longest sequence
 * @param epsilon of its norms
 * @param endOfText id of the token at which the pooled output is taken
 */
public record ClipTextConfig(int vocabulary, int width, int inner, int projected, int layers, int heads, int positions,
    Activation activation, double epsilon, int endOfText) {

    private static final String ARCHITECTURES = "architectures";
    private static final String PLAIN = "CLIPTextModel";
    private static final String WITH_PROJECTION = "CLIPTextModelWithProjection";
    private static final Set<String> TYPES = Set.of("clip_text_model", "clip");

    private static final Set<String> FOLLOWED = Set.of("architectures", "model_type", "vocab_size", "hidden_size",
        "intermediate_size", "projection_dim", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
        "hidden_act", "layer_norm_eps", "eos_token_id");

    private static final SupportedOptions SUPPORTED =
        PretrainedOptions.with(FOLLOWED, Set.of(), Map.of("is_encoder_decoder", "false"), Set.of("hidden_act"));

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    public static ClipTextConfig read(ConfigFile config) {
        String type = config.text("model_type").orElse("clip_text_model");
        if (!TYPES.contains(type)) {
            throw config.wrong("model_type", "is \"" + type + "\", which is no CLIP text encoder");
        }
        if (config.has("text_config")) {
            throw config.wrong("text_config", "is that of a whole CLIP model; give a folder with its text encoder "
                + "only, as " + PLAIN + " saves it");
        }
        PretrainedOptions.refuseQuantized(config);
        SUPPORTED.check(config);
        int width = config.positiveInteger("hidden_size", 512);
        int heads = config.positiveInteger("num_attention_heads", 8);
        if (width % heads != 0) {
            throw config.wrong("num_attention_heads", "is " + heads + ", which does not divide hidden_size " + width);
        }
        return new ClipTextConfig(config.positiveInteger("vocab_size", 49408), width,
            config.positiveInteger("intermediate_size", 2048), config.positiveInteger("projection_dim", 512),
            config.positiveInteger("num_hidden_layers", 12), heads,
            config.positiveInteger("max_position_embeddings", 77),
            Activation.of(config, "hidden_act", Activation.QUICK_GELU), config.number("layer_norm_eps", 1e-5),
            config.element("eos_token_id").map(id -> config.index("eos_token_id", id)).orElse(49407));
    }

    /**
     * Whether the encoder ends with a projection: as its class says, or without a class whether its weight is there.
     */
    static boolean projects(ConfigFile config, boolean hasWeight) {
        List<JsonElement> classes = config.list(ARCHITECTURES);
        if (classes.isEmpty()) {
            return hasWeight;
        }
        String name = config.text(ARCHITECTURES, classes.getFirst());
        return switch (name) {
            case PLAIN -> false;
            case WITH_PROJECTION -> true;
            default -> throw config.wrong(ARCHITECTURES, "names " + name + ", which is not supported; supported are "
                + PLAIN + " and " + WITH_PROJECTION);
        };
    }
}
