package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.lora.LoraTarget.Parameter;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a tensor of a LoRA file, understood.
 *
 * @param prefix the module as it stands in the name
 * @param module the same, understood
 * @param role what the tensor is to the layer
 */
record LoraKey(String prefix, LoraTarget.Module module, Role role) {
    /** What a tensor is to its layer. PEFT may put the name of the adapter behind the name of a factor. */
    enum Role {
        /** [rank, inputs] or [rank, inputs, kernel, kernel]; PEFT's A. */
        DOWN("\\.lora_A(?:\\.[^.]+)?\\.weight|(?:\\.lora_|\\.lora\\.|\\.lora_linear_layer\\.|_lora\\.)down\\.weight"),
        /** [outputs, rank] or [outputs, rank, 1, 1]; PEFT's B. */
        UP("\\.lora_B(?:\\.[^.]+)?\\.weight|(?:\\.lora_|\\.lora\\.|\\.lora_linear_layer\\.|_lora\\.)up\\.weight"),
        /** [rank, rank, kernel, kernel], between the two. */
        MID("\\.lora_mid\\.weight"),
        /** One number. */
        ALPHA("(?:\\.lora|_lora)?\\.alpha"),
        /** One number that was trained beside the factors. */
        SCALAR("\\.scalar"),
        /** Lengths of the changed weight, per output or per input. */
        LENGTHS("\\.dora_scale"),
        /** The same as PEFT has them, per output always. */
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
     * Empty if it is nothing that layers are changed by.
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
