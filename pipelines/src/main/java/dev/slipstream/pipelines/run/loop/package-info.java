/**
 * What a denoising loop computes, apart from where it runs.
 *
 * <p>A {@link dev.slipstream.pipelines.run.loop.LoopSpec} holds it all: the
 * {@link dev.slipstream.pipelines.run.loop.NoiseTable} (the noise scheduler as rows of coefficients), the
 * {@link dev.slipstream.pipelines.run.loop.Guidance}, the denoiser's tensors and their types. Immutable values, which
 * know plans by the names of their branches only.
 */
package dev.slipstream.pipelines.run.loop;
