/**
 * From a prompt to a picture: tokenizers, noise schedulers, pipelines, images.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.Tokenizer} turns a prompt into the ids that a text encoder reads. {@link
 * dev.slipstream.pipelines.diffusion.Image} is what a decoder's output becomes, and {@link
 * dev.slipstream.pipelines.diffusion.PngFile} writes it, with the {@link
 * dev.slipstream.pipelines.diffusion.GenerationParameters} that made it.
 */
package dev.slipstream.pipelines.diffusion;
