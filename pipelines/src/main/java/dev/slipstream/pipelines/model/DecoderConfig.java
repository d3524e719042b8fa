package dev.slipstream.pipelines.model;

/**
 * What generation needs to know of a VAE, from diffusers' {@code config.json} of an {@code AutoencoderKL} or {@code
 * AutoencoderTiny}. A decoder's input is {@code latents / scalingFactor + shiftFactor}.
 *
 * @param scalingFactor the latents of the diffusion are the encoder's, less the shift, times this
 * @param shiftFactor see {@code scalingFactor}
 * @param latentChannels channels of the latents
 * @param spatialFactor picture pixels per latent pixel, along each side
 */
public record DecoderConfig(double scalingFactor, double shiftFactor, int latentChannels, int spatialFactor) {
    /** diffusers' defaults, which are the values of Stable Diffusion 1 and 2. */
    static final DecoderConfig STABLE_DIFFUSION = new DecoderConfig(0.18215, 0, 4, 8);

    private static final int MOST_BLOCKS = 16;

    static DecoderConfig of(ConfigFile config) {
        double scaling = config.number("scaling_factor", STABLE_DIFFUSION.scalingFactor);
        if (scaling == 0) {
            throw config.wrong("scaling_factor", "must not be 0");
        }
        return new DecoderConfig(scaling, config.number("shift_factor", STABLE_DIFFUSION.shiftFactor),
            config.positiveInteger("latent_channels", STABLE_DIFFUSION.latentChannels), spatialFactor(config));
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
