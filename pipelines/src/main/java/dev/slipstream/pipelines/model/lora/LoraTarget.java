package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A weight or bias that a LoRA changes.
 *
 * @param component what it belongs to
 * @param path of the module with {@code _} for every dot, as kohya's files have it, since the dots cannot be had back:
 *     {@code down_blocks_0_attentions_0_proj_in}
 * @param parameter of the module
 */
public record LoraTarget(Component component, String path, Parameter parameter) {
    /** What a module has that can be changed. */
    public enum Parameter { WEIGHT, BIAS }

    private static final String PEFT = "base_model.model.";

    /** Of kohya, LyCORIS, diffusers, ComfyUI, OneTrainer and of single files in the original layout. */
    private static final Map<String, Component> PREFIXES = Map.ofEntries(Map.entry("lora_unet_", Component.DENOISER),
        Map.entry("lycoris_", Component.DENOISER), Map.entry("unet.", Component.DENOISER),
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
        Map.entry("clip_g.text_model.", Component.TEXT_ENCODER_2));

    /** How modules begin where nothing says the component, as in PEFT's files of one model. */
    private static final Map<Component, List<String>> MODULES = Map.of(
        Component.DENOISER, List.of("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out",
            "time_embedding.", "add_embedding.", "input_blocks.", "middle_block.", "output_blocks."),
        Component.TEXT_ENCODER, List.of("text_model.", "encoder.layers."));

    /** How names begin of transformers and of what belongs to them; none of these families can be run. */
    private static final List<String> TRANSFORMERS = List.of("transformer.", "lora_transformer_", "transformer_blocks.",
        "single_transformer_blocks.", "lora_te3_", "text_encoder_3.", "text_encoders.t5xxl.",
        "lora_unet_double_blocks_", "lora_unet_single_blocks_", "lora_unet_joint_blocks_",
        "diffusion_model.double_blocks.",
        "diffusion_model.single_blocks.", "diffusion_model.joint_blocks.", "diffusion_model.transformer_blocks.");

    /** Old diffusers' names for the layers of a text encoder's attention. */
    private static final Map<String, String> TEXT_LAYERS = Map.of("to_q", "q_proj", "to_k", "k_proj", "to_v", "v_proj",
        "to_out", "out_proj");

    /** Of a weight. */
    public LoraTarget(Component component, String path) {
        this(component, path, Parameter.WEIGHT);
    }

    /**
     * A module as a file names it.
     *
     * @param name inside its component, with the dots that it has in the file
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

    /** Whether a tensor's name tells that it is for a transformer. */
    static boolean isOfTransformer(String tensor) {
        String name = tensor.startsWith(PEFT) ? tensor.substring(PEFT.length()) : tensor;
        return TRANSFORMERS.stream().anyMatch(name::startsWith);
    }
}
