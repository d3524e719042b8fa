/**
 * What makes a denoiser a diffusion pipeline.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.NoiseScheduler} reads diffusers' {@code scheduler_config.json} and works
 * out the rows of coefficients ({@link dev.slipstream.pipelines.run.NoiseTable}) that a program needs before its loop
 * starts; each method is one file that implements {@code Sampler}. {@link dev.slipstream.pipelines.diffusion.Noise}
 * makes standard normal numbers from a seed. Nothing here knows of devices: it is host code over plain numbers.
 */
package dev.slipstream.pipelines.diffusion;
