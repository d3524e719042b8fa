package dev.slipstream.pipelines.model.config;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.slipstream.pipelines.model.ModelException;
import java.util.OptionalInt;

/**
 * What generation needs to know about a denoiser, from diffusers' {@code config.json}.
 *
 * @param inChannels channels of its input; more than the latents' for inpainting and upscaling
 * @param outChannels channels of its prediction
 * @param sampleHeight height of the latents that it was trained on, in latent pixels
 * @param sampleWidth width of the latents that it was trained on, in latent pixels
 * @param crossAttentionDim width of the text encoder's output that it reads; empty if unconditional
 */
public record DenoiserConfig(int inChannels, int outChannels, int sampleHeight, int sampleWidth,
    OptionalInt crossAttentionDim) {

    /** @throws ModelException if {@code in_channels} or {@code sample_size} is missing or not a size */
    public static DenoiserConfig of(ConfigFile config) {
        return of(config, OptionalInt.empty());
    }

    /** @param usualSide what {@code sample_size} is where it is missing; in all else like {@link #of(ConfigFile)} */
    public static DenoiserConfig of(ConfigFile config, OptionalInt usualSide) {
        int in = config.positiveInteger("in_channels");
        JsonElement sample = config.element("sample_size").or(() -> usualSide.stream().mapToObj(JsonPrimitive::new)
            .map(JsonElement.class::cast).findFirst()).orElseThrow(() -> config.wrong("sample_size", "is missing"));
        return new DenoiserConfig(in, config.positiveInteger("out_channels", in), side(config, sample, 0),
            side(config, sample, 1), crossAttentionDim(config));
    }

    /** The same for a denoiser that is called with other channels. */
    public DenoiserConfig withChannels(int in, int out) {
        return new DenoiserConfig(in, out, sampleHeight, sampleWidth, crossAttentionDim);
    }

    /** The same with the sizes that {@code other} was trained on. */
    public DenoiserConfig withSampleSizeOf(DenoiserConfig other) {
        return new DenoiserConfig(inChannels, outChannels, other.sampleHeight, other.sampleWidth, crossAttentionDim);
    }

    /** diffusers writes one number for squares, else height and width. */
    private static int side(ConfigFile config, JsonElement sample, int index) {
        if (!sample.isJsonArray()) {
            return config.positiveInteger("sample_size", sample);
        }
        JsonArray sides = sample.getAsJsonArray();
        if (sides.size() != 2) {
            throw config.wrong("sample_size", "must be a number or [height, width], not " + sample);
        }
        return config.positiveInteger("sample_size", sides.get(index));
    }

    /** A list has one width for each block. All blocks read the same tensor, so the widths must be the same. */
    public static OptionalInt crossAttentionDim(ConfigFile config) {
        if (!config.has("cross_attention_dim")) {
            return OptionalInt.empty();
        }
        JsonElement value = config.root().get("cross_attention_dim");
        if (!value.isJsonArray()) {
            return OptionalInt.of(config.positiveInteger("cross_attention_dim"));
        }
        int[] widths = value.getAsJsonArray().asList().stream()
            .mapToInt(width -> config.positiveInteger("cross_attention_dim", width)).distinct().toArray();
        if (widths.length != 1) {
            throw config.wrong("cross_attention_dim", "must be the same for all blocks, not " + value);
        }
        return OptionalInt.of(widths[0]);
    }
}
