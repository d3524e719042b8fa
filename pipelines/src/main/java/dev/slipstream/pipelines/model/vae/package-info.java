/**
 * diffusers' {@code AutoencoderKL}, between pictures and latents, written as graphs from its {@code config.json} and
 * its checkpoint: one of the encoder, one of the decoder. {@link dev.slipstream.pipelines.model.vae.AutoencoderKl} is
 * the way in.
 */
package dev.slipstream.pipelines.model.vae;
