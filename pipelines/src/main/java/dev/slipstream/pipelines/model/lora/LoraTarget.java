package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.folder.Component;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A weight or bias that a LoRA changes.
 *
 * @param component what it belongs to; {@link #T5} for a model's T5
 * @param path of the module with {@code _} for every dot, as in kohya's files, from which the dots cannot be recovered:
 *     {@code down_blocks_0_attentions_0_proj_in}
 * @param parameter of the module
 */
public record LoraTarget(Component component, String path, Parameter parameter) {
    /** The parameters of a module. */
    public enum Parameter { WEIGHT, BIAS }

    /** What files call the third encoder is a model's T5, whichever of its encoders that is. */
    static final Component T5 = Component.TEXT_ENCODER_3;

    private static final String PEFT = "base_model.model.";

    /** Prefixes of kohya, LyCORIS, diffusers, ComfyUI, OneTrainer and single files in the original layout. */
    private static final Map<String, Component> PREFIXES = Map.ofEntries(Map.entry("lora_unet_", Component.DENOISER),
        Map.entry("lycoris_", Component.DENOISER), Map.entry("unet.", Component.DENOISER),
        Map.entry("transformer.", Component.DENOISER), Map.entry("lora_transformer_", Component.DENOISER),
        Map.entry("diffusion_model.", Component.DENOISER), Map.entry("model.diffusion_model.", Component.DENOISER),
        Map.entry("lora_te_", Component.TEXT_ENCODER), Map.entry("lora_te1_", Component.TEXT_ENCODER),
        Map.entry("text_encoder.", Component.TEXT_ENCODER),
        Map.entry("text_encoders.clip_l.transformer.", Component.TEXT_ENCODER),
        Map.entry("text_encoders.clip_h.transformer.", Component.TEXT_ENCODER),
        Map.entry("clip_l.transformer.", Component.TEXT_ENCODER),
        Map.entry("clip_h.transformer.", Component.TEXT_ENCODER),
        Map.entry("clip_l.text_model.", Component.TEXT_ENCODER),
        Map.entry("cond_stage_model.transformer.", Component.TEXT_ENCODER),
        Map.entry("conditioner.embedders.0.transformer.", Component.TEXT_ENCODER),
        Map.entry("lora_te2_", Component.TEXT_ENCODER_2), Map.entry("text_encoder_2.", Component.TEXT_ENCODER_2),
        Map.entry("text_encoders.clip_g.transformer.", Component.TEXT_ENCODER_2),
        Map.entry("clip_g.transformer.", Component.TEXT_ENCODER_2),
        Map.entry("clip_g.text_model.", Component.TEXT_ENCODER_2),
        Map.entry("lora_te3_", T5), Map.entry("text_encoder_3.", T5),
        Map.entry("text_encoders.t5xxl.transformer.", T5), Map.entry("t5xxl.transformer.", T5),
        Map.entry("module.", Component.DENOISER));

    /** Beginnings of module names in files that do not name the component, as PEFT writes for a single model. */
    private static final Map<Component, List<String>> MODULES = Map.of(
        Component.DENOISER, List.of("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out",
            "time_embedding.", "add_embedding.", "input_blocks.", "middle_block.", "output_blocks.",
            "transformer_blocks.", "single_transformer_blocks.", "x_embedder", "context_embedder", "proj_out",
            "norm_out.", "time_text_embed.", "pos_embed.", "adaln_single.", "caption_projection.", "double_blocks.",
            "single_blocks.", "joint_blocks.", "img_in", "txt_in", "time_in.", "vector_in.", "guidance_in.",
            "t_embedder.", "y_embedder.", "final_layer."),
        Component.TEXT_ENCODER, List.of("text_model.", "encoder.layers."), T5, List.of("encoder.block."));

    /** Names that old releases of diffusers gave the layers of a text encoder's attention. */
    private static final Map<String, String> TEXT_LAYERS = Map.of("to_q", "q_proj", "to_k", "k_proj", "to_v", "v_proj",
        "to_out", "out_proj");

    /** Of a weight. */
    public LoraTarget(Component component, String path) {
        this(component, path, Parameter.WEIGHT);
    }

    /**
     * A module as a file names it.
     *
     * @param name the name inside its component, with dots as in the file
     */
    record Module(Component component, String name) {
        /**
         * Empty if it is none.
         *
         * @param module what stands before the name of the factor in a tensor's name
         * @param textEncoder which of the two is meant by names that do not say
         */
        static Optional<Module> of(String module, Component textEncoder) {
            String name = module.startsWith(PEFT) ? module.substring(PEFT.length()) : module;
            return PREFIXES.entrySet().stream().filter(prefix -> name.startsWith(prefix.getKey())).findFirst()
                .map(prefix -> new Module(prefix.getValue(), name.substring(prefix.getKey().length())))
                .or(() -> MODULES.entrySet().stream()
                    .filter(begins -> begins.getValue().stream().anyMatch(name::startsWith)).findFirst()
                    .map(begins -> new Module(begins.getKey() == Component.TEXT_ENCODER ? textEncoder
                        : begins.getKey(), name)));
        }

        LoraTarget target(Parameter parameter) {
            String plain = name.replace(".processor.", ".");
            int last = plain.lastIndexOf('.') + 1;
            String layer = plain.substring(last);
            String named = layer;
            if (component != Component.DENOISER) {
                named = TEXT_LAYERS.getOrDefault(layer, layer);
            } else if (layer.equals("to_out")) {
                named = "to_out.0";
            }
            return new LoraTarget(component, (plain.substring(0, last) + named).replace('.', '_'), parameter);
        }
    }

    /**
     * The name of a tensor in a LoRA file, parsed.
     *
     * @param prefix the module as it is written in the name
     * @param module the same module, parsed
     * @param role the role of the tensor in the layer
     */
    record LoraKey(String prefix, LoraTarget.Module module, Role role) {
        /** The role of a tensor in its layer. PEFT may append the name of the adapter to the name of a factor. */
        enum Role {
            /** [rank, inputs] or [rank, inputs, kernel, kernel]; PEFT's A. */
            DOWN("\\.lora_A(?:\\.[^.]+)?\\.weight"
                + "|(?:\\.lora_|\\.lora\\.|\\.lora_linear_layer\\.|_lora\\.)down\\.weight"),
            /** [outputs, rank] or [outputs, rank, 1, 1]; PEFT's B. */
            UP("\\.lora_B(?:\\.[^.]+)?\\.weight"
                + "|(?:\\.lora_|\\.lora\\.|\\.lora_linear_layer\\.|_lora\\.)up\\.weight"),
            /** [rank, rank, kernel, kernel], between the two. */
            MID("\\.lora_mid\\.weight"),
            /** One number. */
            ALPHA("(?:\\.lora|_lora)?\\.alpha"),
            /** One number that was trained together with the factors. */
            SCALAR("\\.scalar"),
            /** Lengths of the changed weight, per output or per input. */
            LENGTHS("\\.dora_scale"),
            /** The same in PEFT's files, always per output. */
            OUTPUT_LENGTHS("\\.lora_magnitude_vector(?:\\.(?!weight$)[^.]+)?(?:\\.weight)?"),
            HADA_W1_A("\\.hada_w1_a(?:\\.[^.]+)?"), HADA_W1_B("\\.hada_w1_b(?:\\.[^.]+)?"),
            HADA_T1("\\.hada_t1(?:\\.[^.]+)?"),
            HADA_W2_A("\\.hada_w2_a(?:\\.[^.]+)?"), HADA_W2_B("\\.hada_w2_b(?:\\.[^.]+)?"),
            HADA_T2("\\.hada_t2(?:\\.[^.]+)?"),
            LOKR_W1("\\.lokr_w1(?:\\.[^.]+)?"), LOKR_W1_A("\\.lokr_w1_a(?:\\.[^.]+)?"),
            LOKR_W1_B("\\.lokr_w1_b(?:\\.[^.]+)?"),
            LOKR_W2("\\.lokr_w2(?:\\.[^.]+)?"), LOKR_W2_A("\\.lokr_w2_a(?:\\.[^.]+)?"),
            LOKR_W2_B("\\.lokr_w2_b(?:\\.[^.]+)?"), LOKR_T2("\\.lokr_t2(?:\\.[^.]+)?"),
            /** The change itself. */
            FULL("\\.diff|\\.w_norm"),
            /** The change of the bias. */
            FULL_BIAS("\\.diff_b|\\.b_norm");

            private final Pattern name;

            Role(String suffix) {
                this.name = Pattern.compile("(.+?)(?:" + suffix + ")");
            }
        }

        /**
         * Empty if the tensor has no known role.
         *
         * @param textEncoder which of the two is meant by names that do not say
         */
        static Optional<LoraKey> parse(String name, Component textEncoder) {
            for (Role role : Role.values()) {
                Matcher matcher = role.name.matcher(name);
                if (matcher.matches()) {
                    return LoraTarget.Module.of(matcher.group(1), textEncoder)
                        .map(module -> new LoraKey(matcher.group(1), module, role));
                }
            }
            return Optional.empty();
        }

        LoraTarget target() {
            return module.target(role == Role.FULL_BIAS ? Parameter.BIAS : Parameter.WEIGHT);
        }
    }
}
