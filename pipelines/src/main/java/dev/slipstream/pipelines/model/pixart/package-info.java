/**
 * diffusers' {@code PixArtTransformer2DModel}, the denoiser of PixArt-Alpha and Sigma, written as a graph from its
 * {@code config.json} and its checkpoint. {@link dev.slipstream.pipelines.model.pixart.PixArtTransformer} is the way
 * in.
 */
@NullMarked
package dev.slipstream.pipelines.model.pixart;

import org.jspecify.annotations.NullMarked;
