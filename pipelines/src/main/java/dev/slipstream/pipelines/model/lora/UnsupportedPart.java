package dev.slipstream.pipelines.model.lora;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.regex.Pattern;

/** Tensors that change what a model computes in a way that is known, but not built: never to be left out. */
enum UnsupportedPart {
    OFT("OFT", "oft_(?:blocks|diag|r|R|s)(?:\\..+)?"),
    BOFT("BOFT", "boft_[rsRS](?:\\..+)?"),
    GLORA("GLoRA", "(?:[ab][12]|b?m)\\.weight"),
    IA3("(IA)³", "ia3_l(?:\\..+)?|on_input"),
    EMBEDDING("a LoRA of an embedding", "lora_embedding_[AB](?:\\..+)?"),
    FACTOR_BIAS("a LoRA with biases of its own", "lora_(?:A|B|up|down)(?:\\.[^.]+)?\\.bias"),
    WHOLE("weights or biases that were trained whole", "set_weight|modules_to_save\\..+|base_layer\\..+|bias",
        "(?:base_model\\.model|unet|text_encoder(?:_2)?)\\.(?!.*lora).+\\.weight"),
    RESHAPED("a change of a weight's shape", "reshape_weight"),
    SCALED_FP8("fp8 with scales", "scale_weight|weight_scale|scale_input|input_scale|scaled_fp8"),
    OTHER("another method of PEFT", "vera_lambda_.+|vblora_.+|fourierft_.+|hra_u.*|bone_.+|miss_.+|randlora_.+"
        + "|shira_.+|c3a_.+|road_.+|waveft_.+|delora_.+|trainable_tokens_.+|lora_E|ranknum");

    private final String method;
    private final Pattern name;

    UnsupportedPart(String method, String suffix) {
        this(method, suffix, "");
    }

    /** @param other whole names, beside those with the suffix */
    UnsupportedPart(String method, String suffix, String other) {
        this.method = method;
        this.name = Pattern.compile("(?:.+\\.)?(?:" + suffix + ")|" + other);
    }

    /** What a tensor of this name belongs to; empty if that is not known. */
    static Optional<UnsupportedPart> of(String name) {
        return Arrays.stream(values()).filter(part -> part.name.matcher(name).matches()).findFirst();
    }

    /** Whether such a tensor is an adapter's, and no whole model's. */
    boolean isOfAdapter() {
        return !EnumSet.of(WHOLE, SCALED_FP8).contains(this);
    }

    /** As in "is part of GLoRA". */
    String method() {
        return method;
    }
}
