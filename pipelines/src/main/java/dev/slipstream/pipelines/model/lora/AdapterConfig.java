package dev.slipstream.pipelines.model.lora;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * PEFT's settings of one adapter, as in {@code adapter_config.json}. Settings that change the weights are followed, or
 * refused by name; the tensors say which layers are changed.
 *
 * <p>Source: {@code LoraConfig}, {@code LoHaConfig} and {@code LoKrConfig} of PEFT.
 *
 * @param settings the file, or the part of one, that they are in
 * @param prefix of their names there
 */
record AdapterConfig(ConfigFile settings, String prefix) {
    /** PEFT's defaults for {@code r} and {@code lora_alpha}. */
    private static final double DEFAULT_RANK = 8;

    /** The name of alpha by {@code peft_type}. */
    private static final Map<String, String> ALPHAS = Map.of("LORA", "lora_alpha", "LOHA", "alpha", "LOKR", "alpha");

    /** {@code fan_in_fan_out} is for layers of GPT-2 only: PEFT itself resets it for all others. */
    private static final Set<String> WITHOUT_EFFECT = Set.of("peft_type", "lora_alpha", "alpha", "r", "rank_pattern",
        "alpha_pattern", "use_rslora", "use_dora", "init_lora_weights", "auto_mapping", "base_model_name_or_path",
        "revision", "task_type", "inference_mode", "peft_version", "target_modules", "exclude_modules",
        "target_parameters", "lora_dropout", "fan_in_fan_out", "layers_to_transform", "layers_pattern", "loftq_config",
        "eva_config", "corda_config", "lora_ga_config", "megatron_config", "megatron_core", "runtime_config",
        "qalora_group_size", "init_weights", "rank_dropout", "module_dropout", "use_effective_conv2d", "decompose_both",
        "decompose_factor", "rank_dropout_scale", "ensure_weight_tying");

    /** Settings that have no effect only if they are empty, false or {@code "none"}. */
    private static final Set<String> REFUSED = Set.of("bias", "lora_bias", "modules_to_save", "layer_replication",
        "trainable_token_indices", "use_qalora", "alora_invocation_tokens", "arrow_config", "use_bdlora");

    /** Ways to begin training that leave the base weights as they are. Others put a part of them into the factors. */
    private static final Set<String> PLAIN_BEGINNINGS = Set.of("gaussian", "eva", "orthogonal");

    /** @throws ModelException if they ask for something that is not supported */
    void check() {
        String type = settings.text(key("peft_type")).orElse("LORA");
        if (!ALPHAS.containsKey(type)) {
            throw settings.wrong(key("peft_type"), "is " + type + ", which is not supported; LORA, LOHA and LOKR are");
        }
        for (String name : REFUSED) {
            settings.element(key(name)).filter(value -> !saysNothing(value)).ifPresent(value -> {
                throw settings.wrong(key(name), "is " + value + ", which is not supported");
            });
        }
        settings.element(key("init_lora_weights")).filter(AdapterConfig::isText)
            .map(value -> settings.text(key("init_lora_weights"), value))
            .filter(begin -> !PLAIN_BEGINNINGS.contains(begin)).ifPresent(begin -> {
                throw settings.wrong(key("init_lora_weights"), "is " + begin + ", which changes the weights that the "
                    + "LoRA is added to; convert it to a plain LoRA when it is saved");
            });
        scale("", OptionalLong.of(1));
    }

    /** Settings that are neither followed nor known to have no effect. */
    List<String> unknown() {
        List<String> unknown = new ArrayList<>();
        settings.root().entrySet().forEach(setting -> {
            String name = setting.getKey();
            if (name.startsWith(prefix) && !WITHOUT_EFFECT.contains(name.substring(prefix.length()))
                && !REFUSED.contains(name.substring(prefix.length())) && !saysNothing(setting.getValue())) {
                unknown.add(name);
            }
        });
        return unknown;
    }

    private static boolean isText(JsonElement value) {
        return value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
    }

    private static boolean saysNothing(JsonElement value) {
        return value.isJsonNull() || value.isJsonArray() && value.getAsJsonArray().isEmpty()
            || value.isJsonObject() && value.getAsJsonObject().isEmpty()
            || value.isJsonPrimitive() && Set.of("false", "none", "").contains(value.getAsString());
    }

    private String key(String name) {
        return prefix + name;
    }

    /**
     * @param module its name in the file, with dots
     * @param tensor the name of the layer in messages
     * @param decomposed whether its tensors are those of a DoRA
     * @throws ModelException if a layer is not what the settings say
     */
    void check(String module, String tensor, Factors factors, boolean decomposed) {
        if (factors instanceof Factors.Full) {
            return;
        }
        if (settings.flag(key("use_dora"), false) && !decomposed) {
            throw settings.wrong("use_dora", "is true, but " + tensor + " has no lora_magnitude_vector");
        }
        OptionalLong rank = factors.rank();
        rank(module).filter(said -> rank.isPresent() && said != rank.getAsLong()).ifPresent(said -> {
            throw settings.wrong("r", "says that " + tensor + " has the rank " + said + ", but it has "
                + rank.getAsLong() + "; the file belongs to another adapter");
        });
    }

    /**
     * Alpha divided by the rank, or by its square root.
     *
     * @param module its name in the file, with dots
     * @param rank of the factors, if there are any
     */
    double scale(String module, OptionalLong rank) {
        String alphaKey = key(ALPHAS.get(settings.text(key("peft_type")).orElse("LORA")));
        double alpha = ofModule("alpha_pattern", module).orElseGet(() -> settings.number(alphaKey, DEFAULT_RANK));
        double divisor = rank.isPresent() ? rank.getAsLong() : rank(module).orElse(DEFAULT_RANK);
        return alpha / (settings.flag(key("use_rslora"), false) ? Math.sqrt(divisor) : divisor);
    }

    /** The rank of a layer by the settings; empty if they do not say it. */
    private Optional<Double> rank(String module) {
        return ofModule("rank_pattern", module).or(() -> settings.has(key("r"))
            ? Optional.of(settings.number(key("r"), DEFAULT_RANK)) : Optional.empty());
    }

    private Optional<Double> ofModule(String patterns, String module) {
        return settings.object(key(patterns)).flatMap(all -> all.root().entrySet().stream()
            .filter(entry -> new ModulePattern(settings, key(patterns), entry.getKey()).matches(module)).findFirst()
            .map(entry -> settings.number(key(patterns), entry.getValue())));
    }

    /**
     * A regular expression by which PEFT's settings name modules: it must match the whole name, or its end after a dot.
     * Expressions come with files, so matching is given up after too many steps.
     *
     * @param settings the file that it is in, for messages
     * @param key the setting that it is in
     */
    private record ModulePattern(ConfigFile settings, String key, String expression) {
        private static final int LONGEST = 300;
        private static final int MOST_STEPS = 100_000;

        boolean matches(String module) {
            if (expression.length() > LONGEST) {
                throw settings.wrong(key, "has a name of " + expression.length() + " characters");
            }
            try {
                return Pattern.compile("(.*\\.)?(" + expression + ")").matcher(new Bounded(module, new int[1]))
                    .matches();
            } catch (PatternSyntaxException | TooManySteps e) {
                throw settings.wrong(key, "has the name " + expression + ", which is no simple regular expression");
            }
        }

        private static final class TooManySteps extends RuntimeException {
            private static final long serialVersionUID = 1;
        }

        /** A text of which only a limited number of characters can be read. */
        private record Bounded(CharSequence text, int[] steps) implements CharSequence {
            @Override
            public char charAt(int index) {
                steps[0]++;
                if (steps[0] > MOST_STEPS) {
                    throw new TooManySteps();
                }
                return text.charAt(index);
            }

            @Override
            public int length() {
                return text.length();
            }

            @Override
            public CharSequence subSequence(int start, int end) {
                return text.subSequence(start, end);
            }
        }
    }
}
