package dev.slipstream.pipelines.model.config;

import com.google.gson.JsonElement;
import java.util.List;
import java.util.Optional;

/**
 * What generation needs to know about a VAE, from diffusers' {@code config.json} of an {@code AutoencoderKL} or {@code
 * AutoencoderTiny}.
 *
 * @param scaling between its latents and those of the diffusion
 * @param latentChannels channels of the latents
 * @param spatialFactor picture pixels per latent pixel, along each side
 * @param tileSide latent pixels along each side of the pictures it was trained on; large pictures are decoded in tiles
 *     of this size
 */
public record DecoderConfig(LatentScaling scaling, int latentChannels, int spatialFactor, int tileSide) {

    /** diffusers' defaults, which are the values of Stable Diffusion 1 and 2. */
    public static final DecoderConfig STABLE_DIFFUSION = new DecoderConfig(LatentScaling.of(0.18215, 0), 4, 8, 64);

    private static final int MOST_BLOCKS = 16;

    public static DecoderConfig of(ConfigFile config) {
        int channels = config.positiveInteger("latent_channels", STABLE_DIFFUSION.latentChannels);
        int factor = spatialFactor(config);
        return new DecoderConfig(LatentScaling.read(config, usualScaling(config), channels), channels, factor,
            tileSide(config, factor));
    }

    /** diffusers' defaults: AutoencoderTiny was taught the latents of the diffusion as they are. */
    private static LatentScaling usualScaling(ConfigFile config) {
        return config.text("_class_name").filter("AutoencoderTiny"::equals).isPresent() ? LatentScaling.of(1, 0)
            : STABLE_DIFFUSION.scaling;
    }

    /** diffusers writes one number for squares, else height and width, of which it takes the first. */
    private static int tileSide(ConfigFile config, int factor) {
        Optional<JsonElement> size = config.element("sample_size");
        if (size.isEmpty()) {
            return STABLE_DIFFUSION.tileSide;
        }
        List<JsonElement> sides = size.get().isJsonArray() ? config.list("sample_size") : List.of(size.get());
        if (sides.isEmpty()) {
            throw config.wrong("sample_size", "must be a number or [height, width], not " + size.get());
        }
        return Math.max(1, config.positiveInteger("sample_size", sides.getFirst()) / factor);
    }

    /** Every block but the last doubles the sides. */
    private static int spatialFactor(ConfigFile config) {
        String key = config.has("block_out_channels") ? "block_out_channels" : "decoder_block_out_channels";
        if (!config.has(key)) {
            return STABLE_DIFFUSION.spatialFactor;
        }
        int blocks = config.list(key).size();
        if (blocks == 0 || blocks > MOST_BLOCKS) {
            throw config.wrong(key, "must have one width for each block, at most " + MOST_BLOCKS + ", not " + blocks);
        }
        return 1 << (blocks - 1);
    }
}
