/**
 * diffusers' {@code FluxTransformer2DModel}, the denoiser of FLUX.1, written as a graph from its {@code config.json}
 * and its checkpoint. {@link dev.slipstream.pipelines.model.flux.FluxTransformer} is the way in. Blocks with weights of
 * their own for picture and text come first, then blocks in which both are one stream; positions are rotations of
 * queries and keys (Su et al. 2021).
 */
@NullMarked
package dev.slipstream.pipelines.model.flux;

import org.jspecify.annotations.NullMarked;
