package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import dev.slipstream.pipelines.model.lora.LoraLayer.Decomposition;
import dev.slipstream.pipelines.model.lora.LoraTarget.LoraKey.Role;
import dev.slipstream.pipelines.model.lora.LoraTarget.LoraKey;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Groups the tensors of a LoRA file by layer. */
final class LoraReader {
    /** Far longer than the name of any module. */
    private static final int LONGEST_NAME = 1000;

    private final SafetensorsFile file;
    private final AdapterSettings settings;
    private final Map<LoraTarget, LayerParts> layers = new LinkedHashMap<>();
    private final List<String> unknown = new ArrayList<>();

    /** @param file the weights of {@code files}, open */
    LoraReader(SafetensorsFile file, AdapterSettings settings, AdapterFiles files) {
        this.file = file;
        this.settings = settings;
        if (file.metadata().containsKey("_quantization_metadata")) {
            throw new ModelException(file.path() + " is quantised with scales, which is not supported for LoRAs; take "
                + "it in fp16 or bf16");
        }
        Component textEncoder = files.textEncoder();
        Set<String> prefixes = new HashSet<>();
        for (String name : file.tensors().keySet()) {
            if (name.length() > LONGEST_NAME) {
                throw new ModelException(file.path() + " is no LoRA file: a tensor's name has " + name.length()
                    + " characters");
            }
            LoraKey.parse(name, textEncoder).ifPresentOrElse(key -> {
                prefixes.add(key.prefix());
                put(key, name);
            }, () -> unknown.add(name));
        }
        unknown.forEach(name -> refuseParts(name, prefixes));
    }

    private void put(LoraKey key, String name) {
        String other = layers.computeIfAbsent(key.target(),
            target -> new LayerParts(file, key.module(), new EnumMap<>(Role.class))).names()
            .putIfAbsent(key.role(), name);
        if (other != null) {
            throw new ModelException(file.path() + ": " + other + " and " + name + " mean the same");
        }
    }

    /**
     * Refuses a tensor that changes a layer together with tensors that are understood: leaving it out would be wrong.
     */
    private void refuseParts(String name, Set<String> prefixes) {
        UnsupportedPart.of(name).filter(part -> part.isOfAdapter() || !layers.isEmpty()).ifPresent(part -> {
            throw new ModelException(file.path() + ": " + name + " is part of " + part.method()
                + ", which is not supported");
        });
        for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            if (prefixes.contains(name.substring(0, dot))) {
                throw new ModelException(file.path() + ": " + name + " belongs to a layer whose change is not "
                    + "understood without it; supported are LoRA, LoCon, LoHa, LoKr, DoRA and full differences");
            }
        }
    }

    /** Tensors that belong to no layer. */
    List<String> unknown() {
        return unknown;
    }

    Map<LoraTarget, LoraLayer> layers() {
        Map<LoraTarget, LoraLayer> all = new LinkedHashMap<>();
        layers.forEach((target, parts) -> all.put(target, layer(parts)));
        return all;
    }

    private LoraLayer layer(LayerParts parts) {
        Factors factors = parts.factors();
        Optional<Decomposition> decomposition = parts.decomposition();
        String name = factors.tensors().getFirst().name();
        Optional<AdapterConfig> config = settings.of(parts.module().component());
        config.ifPresent(it -> it.check(parts.module().name(), name, factors, decomposition.isPresent()));
        double scale = parts.number(Role.SCALAR).orElse(1.0) * scale(parts, factors, config);
        if (!Double.isFinite(scale)) {
            throw new ModelException(file.path() + ": the scale of " + name + " is not finite");
        }
        return new LoraLayer(factors, scale, decomposition);
    }

    /** Alpha divided by the rank. If nothing is factored, alpha has no meaning, but PEFT's settings are still read. */
    private static double scale(LayerParts parts, Factors factors, Optional<AdapterConfig> config) {
        Optional<Double> alpha = parts.number(Role.ALPHA);
        if (factors instanceof Factors.Full) {
            return 1;
        }
        return alpha.map(value -> factors.rank().isPresent() ? value / factors.rank().getAsLong() : 1)
            .or(() -> config.map(it -> it.scale(parts.module().name(), factors.rank()))).orElse(1.0);
    }

    /**
     * The tensors of one layer by their roles.
     *
     * @param the open file that they are in
     * @param module the layer
     * @param names of the tensors
     */
    private record LayerParts(SafetensorsFile file, LoraTarget.Module module, Map<Role, String> names) {
        private static final Set<Role> LOW_RANK = EnumSet.of(Role.DOWN, Role.UP, Role.MID);
        private static final Set<Role> HADAMARD = EnumSet.range(Role.HADA_W1_A, Role.HADA_T2);
        private static final Set<Role> KRONECKER = EnumSet.range(Role.LOKR_W1, Role.LOKR_T2);

        /** @throws ModelException if a factor is missing, or they do not fit each other */
        Factors factors() {
            List<Factors> found = new ArrayList<>();
            if (hasAny(LOW_RANK)) {
                found.add(has(Role.MID)
                    ? new Factors.Tucker(need(Role.UP), need(Role.MID), need(Role.DOWN), false)
                    : new Factors.LowRank(need(Role.UP), need(Role.DOWN)));
            }
            if (hasAny(HADAMARD)) {
                found.add(new Factors.Hadamard(product(Role.HADA_W1_A, Role.HADA_T1, Role.HADA_W1_B),
                    product(Role.HADA_W2_A, Role.HADA_T2, Role.HADA_W2_B)));
            }
            if (hasAny(KRONECKER)) {
                found.add(kronecker());
            }
            for (Role full : List.of(Role.FULL, Role.FULL_BIAS)) {
                if (has(full)) {
                    found.add(new Factors.Full(need(full)));
                }
            }
            if (found.size() != 1) {
                throw wrong(found.isEmpty() ? "has no factors; the file is damaged" : "say one thing in two ways");
            }
            if (!found.getFirst().isConsistent()) {
                throw new ModelException(file.path() + ": the factors " + String.join(" and ",
                    found.getFirst().tensors().stream().map(Factor::toString).toList()) + " do not fit each other");
            }
            return found.getFirst();
        }

        private boolean has(Role role) {
            return names.containsKey(role);
        }

        private boolean hasAny(Set<Role> roles) {
            return names.keySet().stream().anyMatch(roles::contains);
        }

        /** With a core or without. */
        private Factors product(Role up, Role core, Role down) {
            return has(core) ? new Factors.Tucker(need(up), need(core), need(down), true)
                : new Factors.LowRank(need(up), need(down));
        }

        /** Each of its two matrices is stored whole or in factors. */
        private Factors kronecker() {
            boolean firstInFactors = hasAny(EnumSet.of(Role.LOKR_W1_A, Role.LOKR_W1_B));
            boolean secondInFactors = hasAny(EnumSet.of(Role.LOKR_W2_A, Role.LOKR_W2_B, Role.LOKR_T2));
            if (has(Role.LOKR_W1) && firstInFactors || has(Role.LOKR_W2) && secondInFactors) {
                throw wrong("say one thing whole and in factors");
            }
            return new Factors.Kronecker(
                firstInFactors ? new Factors.LowRank(need(Role.LOKR_W1_A), need(Role.LOKR_W1_B))
                    : new Factors.Full(need(Role.LOKR_W1)),
                secondInFactors ? product(Role.LOKR_W2_A, Role.LOKR_T2, Role.LOKR_W2_B)
                    : new Factors.Full(need(Role.LOKR_W2)));
        }

        Optional<Decomposition> decomposition() {
            if (has(Role.LENGTHS) && has(Role.OUTPUT_LENGTHS)) {
                throw wrong("say one thing in two ways");
            }
            return has(Role.LENGTHS) ? Optional.of(new Decomposition(need(Role.LENGTHS), true))
                : has(Role.OUTPUT_LENGTHS) ? Optional.of(new Decomposition(need(Role.OUTPUT_LENGTHS), false))
                : Optional.empty();
        }

        /** The value of a tensor that is a single number; empty if there is no such tensor. */
        Optional<Double> number(Role role) {
            if (!has(role)) {
                return Optional.empty();
            }
            String name = names.get(role);
            double value;
            try {
                value = file.tensor(name).toNumber();
            } catch (ModelException e) {
                throw new ModelException(file.path() + ": " + name + " must be one number; " + e.getMessage(), e);
            }
            if (!Double.isFinite(value)) {
                throw new ModelException(file.path() + ": " + name + " must be one finite number, not " + value);
            }
            return Optional.of(value);
        }

        private Factor need(Role role) {
            String name = names.get(role);
            if (name == null) {
                throw wrong("has no other factor; the file is damaged");
            }
            StoredTensor tensor = file.tensor(name);
            if (!tensor.type().isFloatingPoint()) {
                throw new ModelException(file.path() + ": " + name + " has the type " + tensor.type()
                    + ", which is no floating-point number");
            }
            if (tensor.shape().elements() > Integer.MAX_VALUE - 8) {
                throw new ModelException(file.path() + ": " + name + " " + tensor.shape() + " is too large");
            }
            return new Factor(name, tensor.shape());
        }

        private ModelException wrong(String what) {
            return new ModelException(file.path() + ": " + String.join(" and ", names.values()) + " " + what);
        }
    }

    /** Known methods that are not supported; their tensors are refused, never left out. */
    private enum UnsupportedPart {
        OFT("OFT", "oft_(?:blocks|diag|r|R|s)(?:\\..+)?"),
        BOFT("BOFT", "boft_[rsRS](?:\\..+)?"),
        GLORA("GLoRA", "(?:[ab][12]|b?m)\\.weight"),
        IA3("(IA)³", "ia3_l(?:\\..+)?|on_input"),
        EMBEDDING("a LoRA of an embedding", "lora_embedding_[AB](?:\\..+)?"),
        FACTOR_BIAS("a LoRA with biases of its own", "lora_(?:A|B|up|down)(?:\\.[^.]+)?\\.bias"),
        WHOLE("weights or biases that were trained whole", "set_weight|modules_to_save\\..+|base_layer\\..+|bias",
            "(?:base_model\\.model|unet|text_encoder(?:_[23])?)\\.(?!.*lora).+\\.weight"),
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

        /** Whether only adapters have such tensors, not whole models. */
        boolean isOfAdapter() {
            return !EnumSet.of(WHOLE, SCALED_FP8).contains(this);
        }

        /** As in "is part of GLoRA". */
        String method() {
            return method;
        }
    }
}
