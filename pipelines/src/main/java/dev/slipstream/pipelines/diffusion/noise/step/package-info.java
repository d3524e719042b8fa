/** What a step makes of the denoiser's prediction, and the formulas that several methods share. */
package dev.slipstream.pipelines.diffusion.noise.step;
