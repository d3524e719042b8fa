/**
 * The components of a model that run outside the denoising loop: text encoders and autoencoder, whole or in {@link
 * dev.slipstream.pipelines.diffusion.image.Tiles}.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.component.ComponentGraphs} reads their graphs, a {@link
 * dev.slipstream.pipelines.diffusion.component.StaticGraph} is one that is fixed to the types of its inputs, and {@link
 * dev.slipstream.pipelines.diffusion.component.TextEncoder}, {@link
 * dev.slipstream.pipelines.diffusion.component.ImageEncoder} and {@link
 * dev.slipstream.pipelines.diffusion.component.ImageDecoder} have an engine.
 *
 * <p>It imports {@code denoise}, and nothing of the packages above.
 */
package dev.slipstream.pipelines.diffusion.component;
