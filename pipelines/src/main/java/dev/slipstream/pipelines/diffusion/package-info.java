/**
<<<<<<< HEAD
 * From a prompt to a picture: tokenizers, noise schedulers, pipelines, images.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.Tokenizer} turns a prompt into the ids that a text encoder reads. {@link
 * dev.slipstream.pipelines.diffusion.Image} is what a decoder's output becomes, and {@link
 * dev.slipstream.pipelines.diffusion.PngFile} writes it, with the {@link
 * dev.slipstream.pipelines.diffusion.GenerationParameters} that made it.
=======
 * What makes a denoiser a diffusion pipeline.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.NoiseScheduler} reads diffusers' {@code scheduler_config.json} and works
 * out the rows of coefficients ({@link dev.slipstream.pipelines.run.NoiseTable}) that a program needs before its loop
 * starts; each method is one file that implements {@code Sampler}. {@link dev.slipstream.pipelines.diffusion.Noise}
 * makes standard normal numbers from a seed. Nothing here knows of devices: it is host code over plain numbers.
>>>>>>> noise
 */
package dev.slipstream.pipelines.diffusion;
