/**
 * A denoiser fixed to shapes, cut, placed and built.
 *
 * <p>A {@link dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph} is a denoiser as the model has it. A {@link
 * dev.slipstream.pipelines.diffusion.denoise.Partitioner} fixes it to a {@link
 * dev.slipstream.pipelines.diffusion.denoise.LoopShape} and makes the plan: a {@link
 * dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser}, which is enough for a dry run. A {@link
 * dev.slipstream.pipelines.diffusion.denoise.Denoiser} has its engines. Before that the graph is changed so that it
 * takes fractional timesteps, or a mask ({@link dev.slipstream.pipelines.diffusion.denoise.RepaintMask}), or what loops
 * give in the form in which they have it ({@link dev.slipstream.pipelines.diffusion.denoise.LoopAdapter}); last it gets
 * the {@link dev.slipstream.pipelines.diffusion.denoise.DeviceForm} that suits a device.
 *
 * <p>It imports graphs, plans and programs, and nothing else of {@code diffusion}.
 */
package dev.slipstream.pipelines.diffusion.denoise;
