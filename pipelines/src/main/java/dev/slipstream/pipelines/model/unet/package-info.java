/**
 * diffusers' {@code UNet2DConditionModel}, the denoiser of Stable Diffusion 1 and 2, SDXL and their relatives, written
 * as a graph from its {@code config.json} and its checkpoint. {@link dev.slipstream.pipelines.model.unet.UNet} is the
 * way in; there is one class for each kind of block.
 */
package dev.slipstream.pipelines.model.unet;
