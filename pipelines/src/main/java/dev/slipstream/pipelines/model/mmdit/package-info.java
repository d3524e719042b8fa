/**
 * diffusers' {@code SD3Transformer2DModel}, the denoiser of Stable Diffusion 3 and 3.5, and its ControlNet, written as
 * graphs from their {@code config.json} and checkpoints. {@link dev.slipstream.pipelines.model.mmdit.Sd3Transformer}
 * and {@link dev.slipstream.pipelines.model.mmdit.Sd3ControlNet} are the ways in; both are stacks of joint blocks, in
 * which picture and text are streams with weights of their own that attend to each other (MMDiT, Esser et al. 2024).
 */
@NullMarked
package dev.slipstream.pipelines.model.mmdit;

import org.jspecify.annotations.NullMarked;
