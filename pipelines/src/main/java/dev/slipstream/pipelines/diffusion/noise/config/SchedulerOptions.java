package dev.slipstream.pipelines.diffusion.noise.config;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.pipelines.file.JsonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The entries of a {@code scheduler_config.json}, read with checks. An entry that is missing has the default of the
 * class it is read for, and so has one that is null, but for those that are true or false. Immutable.
 */
public final class SchedulerOptions {
    /** How many image tokens the denoiser sees; not in files, but told by who knows the size of the picture. */
    public static final String IMAGE_TOKENS = "image_tokens";
    /** Whether noise levels of flow matching are spaced evenly; not in files, but told by who knows the pipeline. */
    public static final String EVEN_LEVELS = "even_levels";
    private static final String CLASS_NAME = "_class_name";

    /**
     * Options whose meaning is known. Those that a method does not read do not change its result in diffusers either.
     */
    private static final Set<String> KNOWN = Set.of(
        "algorithm_type", "base_image_seq_len", "base_shift", "beta_end", "beta_schedule", "beta_start",
        "clip_sample", "clip_sample_range", "disable_corrector", "dynamic_thresholding_ratio", "eta",
        "euler_at_final", EVEN_LEVELS, "final_sigmas_type", "flow_shift", IMAGE_TOKENS, "interpolation_type",
        "invert_sigmas",
        "lambda_min_clipped", "lower_order_final", "max_image_seq_len", "max_shift", "noise_sampler_seed",
        "num_train_timesteps", "original_inference_steps", "predict_epsilon", "predict_x0", "prediction_type",
        "rescale_betas_zero_snr", "rho", "sample_max_value", "set_alpha_to_one", "shift", "shift_terminal",
        "sigma_data", "sigma_max", "sigma_min", "sigma_schedule", "skip_prk_steps", "solver_order", "solver_p",
        "solver_type", "steps_offset", "stochastic_sampling", "tensor_format", "thresholding", "time_shift_type",
        "timestep_scaling", "timestep_spacing", "timestep_type", "trained_betas", "use_beta_sigmas",
        "use_dynamic_shifting", "use_exponential_sigmas", "use_flow_sigmas", "use_karras_sigmas", "use_lu_lambdas",
        "variance_type");

    private final JsonObject json;
    private final String source;

    private SchedulerOptions(JsonObject json, String source) {
        this.json = json;
        this.source = source;
    }

    /**
     * Fails if an option that is not switched off is one of nothing that is known: it may change the result.
     */
    public SchedulerOptions requireKnown() {
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            String name = entry.getKey();
            if (!name.startsWith("_") && !KNOWN.contains(name) && !isOff(entry.getValue())) {
                throw error("option " + name + " = " + entry.getValue() + " is not known");
            }
        }
        return this;
    }

    /** @param source what error messages call the file */
    public static SchedulerOptions parse(String json, String source) {
        try {
            JsonElement root = JsonText.parse(json);
            if (!root.isJsonObject()) {
                throw NoiseSchedulerException.ofFile(source + " holds no JSON object", null);
            }
            return new SchedulerOptions(root.getAsJsonObject(), source);
        } catch (MalformedJsonException e) {
            throw NoiseSchedulerException.ofFile(source + " is no valid JSON: " + e.getMessage(), e);
        }
    }

    private static boolean isOff(JsonElement value) {
        return value.isJsonNull() || value.isJsonPrimitive() && value.getAsString().equals("false");
    }

    /** These options with some replaced. */
    public SchedulerOptions with(Map<String, String> replaced) {
        JsonObject copy = json.deepCopy();
        replaced.forEach((name, value) -> copy.add(name, JsonParser.parseString(value)));
        return new SchedulerOptions(copy, source);
    }

    /** diffusers' name of the noise scheduler class; empty if there is none. */
    public String className() {
        return text(CLASS_NAME, "");
    }

    /** These options as another class' file. */
    public SchedulerOptions ofClass(String className) {
        JsonObject copy = json.deepCopy();
        copy.addProperty(CLASS_NAME, className);
        return new SchedulerOptions(copy, source);
    }

    public String text(String name, String otherwise) {
        return isAbsent(name) ? otherwise : primitive(name, "a text");
    }

    public String choice(String name, String otherwise, String... allowed) {
        String value = text(name, otherwise);
        if (!List.of(allowed).contains(value)) {
            throw error(name + " '" + value + "' is not supported, only " + String.join(", ", allowed));
        }
        return value;
    }

    /** To Python null is false, not the default. */
    public boolean flag(String name, boolean otherwise) {
        if (isAbsent(name)) {
            return otherwise && !has(name);
        }
        return switch (primitive(name, "true or false")) {
            case "true" -> true;
            case "false" -> false;
            default -> throw wrongType(name, "true or false");
        };
    }

    public double number(String name, double otherwise) {
        return isAbsent(name) ? otherwise : toNumber(name, json.get(name));
    }

    public double positiveNumber(String name, double otherwise) {
        double value = number(name, otherwise);
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw error(name + " is " + value + ", but must be a positive number");
        }
        return value;
    }

    public int integer(String name, int otherwise) {
        double value = number(name, otherwise);
        if (value != (int) value) {
            throw wrongType(name, "a whole number");
        }
        return (int) value;
    }

    public int positive(String name, int otherwise) {
        int value = integer(name, otherwise);
        if (value < 1) {
            throw error(name + " is " + value + ", but must be at least 1");
        }
        return value;
    }

    public List<Double> numbers(String name) {
        if (isAbsent(name)) {
            return List.of();
        }
        if (!json.get(name).isJsonArray()) {
            throw wrongType(name, "a list of numbers");
        }
        List<Double> numbers = new ArrayList<>();
        json.getAsJsonArray(name).forEach(element -> numbers.add(toNumber(name, element)));
        return numbers;
    }

    /** Fails if the denoiser would have to predict the variance of the noise too. */
    public void refuseLearnedVariance() {
        if (text("variance_type", "").startsWith("learned")) {
            throw error("variance_type is learned, but predictions of the variance are not supported");
        }
    }

    public NoiseSchedulerException error(String sentence) {
        return NoiseSchedulerException.ofFile(source + ": " + sentence, null);
    }

    /** The failure of a request to which these options, which are fine by themselves, do not lead. */
    public NoiseSchedulerException refusal(String sentence) {
        return new NoiseSchedulerException(source + ": " + sentence);
    }

    /** Whether the file says anything of it, be it null. */
    public boolean has(String name) {
        return json.has(name);
    }

    public boolean isAbsent(String name) {
        return !json.has(name) || json.get(name).isJsonNull();
    }

    private String primitive(String name, String expected) {
        if (!json.get(name).isJsonPrimitive()) {
            throw wrongType(name, expected);
        }
        return json.get(name).getAsString();
    }

    private double toNumber(String name, JsonElement element) {
        try {
            // Python writes infinities, which the parser hands on as text, and diffusers writes them in words.
            String text = element.isJsonPrimitive() ? element.getAsString() : "NaN";
            double value = Double.parseDouble(text.replaceFirst("^([+-]?)inf$", "$1Infinity"));
            if (!Double.isNaN(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Reported below, like NaN.
        }
        throw wrongType(name, "a number");
    }

    private NoiseSchedulerException wrongType(String name, String expected) {
        return error(name + " is " + json.get(name) + ", but must be " + expected);
    }
}
