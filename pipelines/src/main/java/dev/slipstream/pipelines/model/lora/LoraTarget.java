package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A layer that a LoRA changes.
 *
 * @param component what it belongs to
 * @param path of the module with {@code _} for every dot, as kohya's files have it, since the dots cannot be had back:
 *     {@code down_blocks_0_attentions_0_proj_in}
 */
public record LoraTarget(Component component, String path) {
    private static final String PEFT = "base_model.model.";

    private static final Map<String, Component> PREFIXES = Map.of("lora_unet_", Component.DENOISER,
        "lora_te_", Component.TEXT_ENCODER, "lora_te1_", Component.TEXT_ENCODER,
        "lora_te2_", Component.TEXT_ENCODER_2, "unet.", Component.DENOISER,
        "text_encoder.", Component.TEXT_ENCODER, "text_encoder_2.", Component.TEXT_ENCODER_2);

    /** Files of old versions of diffusers begin with these where they hold changes of a U-Net only. */
    private static final List<String> UNET_MODULES = List.of("down_blocks.", "mid_block.", "up_blocks.", "conv_in",
        "conv_out", "time_embedding.", "add_embedding.");

    /** Old diffusers' names for the layers of a text encoder's attention. */
    private static final Map<String, String> TEXT_LAYERS = Map.of("to_q", "q_proj", "to_k", "k_proj", "to_v", "v_proj",
        "to_out", "out_proj");

    /** @param module what stands before the name of the factor in a tensor's name; empty if it names no layer */
    static Optional<LoraTarget> of(String module) {
        String name = module.startsWith(PEFT) ? module.substring(PEFT.length()) : module;
        return PREFIXES.entrySet().stream().filter(prefix -> name.startsWith(prefix.getKey())).findFirst()
            .map(prefix -> new LoraTarget(prefix.getValue(),
                path(prefix.getValue(), name.substring(prefix.getKey().length()))))
            .or(() -> UNET_MODULES.stream().filter(name::startsWith).findFirst()
                .map(start -> new LoraTarget(Component.DENOISER, path(Component.DENOISER, name))));
    }

    private static String path(Component component, String module) {
        String plain = module.replace(".processor.", ".");
        int last = plain.lastIndexOf('.') + 1;
        String layer = plain.substring(last);
        String named = layer;
        if (component != Component.DENOISER) {
            named = TEXT_LAYERS.getOrDefault(layer, layer);
        } else if (layer.equals("to_out")) {
            named = "to_out.0";
        }
        return (plain.substring(0, last) + named).replace('.', '_');
    }
}
