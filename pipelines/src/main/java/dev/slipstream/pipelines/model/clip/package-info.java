/**
 * transformers' {@code CLIPTextModel} and {@code CLIPTextModelWithProjection}, the text encoders of Stable Diffusion,
 * written as graphs from their {@code config.json} and their checkpoint. {@link
 * dev.slipstream.pipelines.model.clip.ClipTextModel} is the way in.
 */
package dev.slipstream.pipelines.model.clip;
