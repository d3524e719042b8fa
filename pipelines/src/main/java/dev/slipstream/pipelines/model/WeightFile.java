package dev.slipstream.pipelines.model;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a file of weights says, as diffusers and transformers give such names:
 *
 * <pre>
 *     diffusion_pytorch_model.safetensors                          or model.safetensors: whole
 *     diffusion_pytorch_model-00001-of-00002.safetensors           a shard
 *     diffusion_pytorch_model.safetensors.index.json               names the shards
 *     diffusion_pytorch_model.fp16.safetensors                     a variant
 *     diffusion_pytorch_model.fp16-00001-of-00002.safetensors      its shards; -00001-of-00002.fp16 in older ones
 *     diffusion_pytorch_model.safetensors.index.fp16.json
 * </pre>
 *
 * @param base {@code diffusion_pytorch_model} or {@code model}
 * @param variant empty for the plain weights
 */
record WeightFile(String name, String base, Optional<String> variant, Kind kind) {
    enum Kind { WHOLE, SHARD, INDEX }

    private static final String SHARD = "-\\d+-of-\\d+";
    private static final Pattern WEIGHTS = Pattern.compile("(?<base>diffusion_pytorch_model|model)"
        + "(?<before>" + SHARD + ")?(?:\\.(?<variant>[^.]+?))?(?<after>" + SHARD + ")?\\.safetensors");
    private static final Pattern INDEX = Pattern.compile("(?<base>diffusion_pytorch_model|model)"
        + "\\.safetensors\\.index(?:\\.(?<variant>[^.]+))?\\.json");

    /** Empty for names of other files. */
    static Optional<WeightFile> of(String name) {
        Matcher weights = WEIGHTS.matcher(name);
        if (weights.matches()) {
            boolean whole = weights.group("before") == null && weights.group("after") == null;
            return Optional.of(of(weights, whole ? Kind.WHOLE : Kind.SHARD));
        }
        Matcher index = INDEX.matcher(name);
        return index.matches() ? Optional.of(of(index, Kind.INDEX)) : Optional.empty();
    }

    private static WeightFile of(Matcher matcher, Kind kind) {
        return new WeightFile(matcher.group(), matcher.group("base"), Optional.ofNullable(matcher.group("variant")),
            kind);
    }

    /** Whether both belong to the same weights. */
    boolean isOf(WeightFile other) {
        return base.equals(other.base) && variant.equals(other.variant);
    }

    /** The index that names the shards of such weights. */
    String index() {
        return base + ".safetensors.index" + variant.map(name -> "." + name).orElse("") + ".json";
    }
}
