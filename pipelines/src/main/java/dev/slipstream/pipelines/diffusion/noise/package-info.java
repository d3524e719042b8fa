/**
 * Noise schedulers and seeded noise: host code over plain numbers.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.noise.NoiseScheduler} is the door: it reads diffusers' {@code
 * scheduler_config.json}, finds the method by its class or by the name that was asked for, and works out the rows of
 * coefficients ({@link dev.slipstream.pipelines.run.loop.NoiseTable}) that a program needs before its loop starts.
 * {@link dev.slipstream.pipelines.diffusion.noise.Noise} makes standard normal numbers from a seed.
 *
 * <p>Behind the door, each room knows only those after it: {@code method} (one file a method; how to write one is told
 * there), {@code step} (what a step makes of a prediction), {@code schedule} (timesteps and noise levels), {@code
 * config} (the file's entries, and the exception that says what is wrong with them).
 */
package dev.slipstream.pipelines.diffusion.noise;
