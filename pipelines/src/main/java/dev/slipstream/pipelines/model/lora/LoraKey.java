package dev.slipstream.pipelines.model.lora;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a tensor of a LoRA file, understood.
 *
 * @param target the layer
 * @param role what it is to the layer
 */
record LoraKey(LoraTarget target, Role role) {
    /** What a tensor is to its layer, whose change is {@code alpha / rank · up · down}. */
    enum Role {
        /** [rank, inputs] or [rank, inputs, kernel, kernel]; PEFT's A. */
        DOWN,
        /** [outputs, rank] or [outputs, rank, 1, 1]; PEFT's B. */
        UP,
        /** One number. */
        ALPHA
    }

    /** PEFT puts the name of the adapter before "weight". */
    private static final Pattern NAME = Pattern.compile("(?<module>.+?)(?:\\.lora_(?<letter>[AB])(?:\\.[^.]+)?\\.weight"
        + "|(?:\\.lora_|\\.lora\\.|\\.lora_linear_layer\\.|_lora\\.)(?<side>down|up)\\.weight"
        + "|(?:\\.lora|_lora)?\\.alpha)");

    /** Empty if it is none of a LoRA of linear or convolution layers. */
    static Optional<LoraKey> parse(String name) {
        Matcher matcher = NAME.matcher(name);
        return matcher.matches()
            ? LoraTarget.of(matcher.group("module")).map(target -> new LoraKey(target, role(matcher)))
            : Optional.empty();
    }

    private static Role role(Matcher name) {
        if (name.group("letter") != null) {
            return name.group("letter").equals("A") ? Role.DOWN : Role.UP;
        }
        if (name.group("side") != null) {
            return name.group("side").equals("down") ? Role.DOWN : Role.UP;
        }
        return Role.ALPHA;
    }
}
