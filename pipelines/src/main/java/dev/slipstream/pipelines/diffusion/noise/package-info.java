/**
 * Noise schedulers and seeded noise: host code over plain numbers.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.noise.NoiseScheduler} reads diffusers' {@code scheduler_config.json} and
 * works out the rows of coefficients ({@link dev.slipstream.pipelines.run.NoiseTable}) that a program needs before its
 * loop starts; each method is one file that implements {@code Sampler}.
 * {@link dev.slipstream.pipelines.diffusion.noise.Noise} makes standard normal numbers from a seed.
 */
package dev.slipstream.pipelines.diffusion.noise;
