package dev.slipstream.pipelines.model.config;

import com.google.gson.JsonElement;
import java.util.List;

/**
 * Converts between an autoencoder's latents and those of the diffusion, which should have about unit variance: the mean
 * is subtracted, the rest is divided by the deviation and multiplied by a factor, as in diffusers' pipelines. A
 * configuration has means and deviations for each channel ({@code latents_mean}, {@code latents_std}) or one shift for
 * all ({@code shift_factor}).
 *
 * @param shift the mean of all channels, where {@code means} is empty
 * @param means one for each channel, or none
 * @param deviations as many as means; 1 without them
 */
public record LatentScaling(double factor, double shift, List<Double> means, List<Double> deviations) {
    private static final String FACTOR = "scaling_factor";
    private static final String SHIFT = "shift_factor";
    private static final String MEANS = "latents_mean";
    private static final String DEVIATIONS = "latents_std";

    public LatentScaling {
        means = List.copyOf(means);
        deviations = List.copyOf(deviations);
        if (means.size() != deviations.size()) {
            throw new IllegalArgumentException(means.size() + " means and " + deviations.size() + " deviations");
        }
    }

    /** All channels alike. */
    public static LatentScaling of(double factor, double shift) {
        return new LatentScaling(factor, shift, List.of(), List.of());
    }

    static LatentScaling read(ConfigFile config, LatentScaling otherwise, int channels) {
        double factor = config.number(FACTOR, otherwise.factor);
        if (factor == 0) {
            throw config.wrong(FACTOR, "must not be 0");
        }
        double shift = config.number(SHIFT, otherwise.shift);
        if (config.has(MEANS) != config.has(DEVIATIONS)) {
            throw config.has(MEANS) ? config.wrong(MEANS, "needs " + DEVIATIONS + " beside it")
                : config.wrong(DEVIATIONS, "needs " + MEANS + " beside it");
        }
        if (!config.has(MEANS)) {
            return of(factor, shift);
        }
        if (shift != 0) {
            throw config.wrong(SHIFT, "is " + shift + ", which is not supported beside " + MEANS
                + "; the two are for the same");
        }
        List<Double> deviations = numbers(config, DEVIATIONS, channels);
        if (deviations.contains(0.0) || deviations.contains(-0.0)) {
            throw config.wrong(DEVIATIONS, "must not have a 0");
        }
        return new LatentScaling(factor, shift, numbers(config, MEANS, channels), deviations);
    }

    private static List<Double> numbers(ConfigFile config, String key, int channels) {
        List<JsonElement> numbers = config.list(key);
        if (numbers.size() != channels) {
            throw config.wrong(key, "must have one number for each of the " + channels + " channels, not "
                + numbers.size());
        }
        return numbers.stream().map(number -> config.number(key, number)).toList();
    }

    /** A value of the diffusion as the decoder wants it. */
    public float toDecoder(int channel, float value) {
        return (float) (value * deviation(channel) / factor + mean(channel));
    }

    /** A value that the encoder made as the diffusion wants it. */
    public float fromEncoder(int channel, float value) {
        return (float) ((value - mean(channel)) * factor / deviation(channel));
    }

    /** For messages. */
    @Override
    public String toString() {
        return "scaling factor " + factor + (means.isEmpty() ? " and shift factor " + shift
            : ", means " + means + " and deviations " + deviations);
    }

    private double mean(int channel) {
        return means.isEmpty() ? shift : means.get(channel);
    }

    private double deviation(int channel) {
        return deviations.isEmpty() ? 1 : deviations.get(channel);
    }
}
