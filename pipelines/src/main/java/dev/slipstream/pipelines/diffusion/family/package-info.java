/**
 * Families of models as recipes: what is different from family to family, and nothing that runs.
 *
 * <p>A {@link dev.slipstream.pipelines.diffusion.family.Recipe} answers the questions; {@link
 * dev.slipstream.pipelines.diffusion.family.Family} finds the one for a model. Each family is a small class,
 * and to add one is to write that class and a line in {@code Family}. Nothing outside asks which family a model is of.
 *
 * <p>Most are a {@code LatentDiffusion}, which draws from noise, from pictures and around masks.
 *
 * <p>A {@link dev.slipstream.pipelines.diffusion.family.LoopForm} says how the published loop of a family calls its
 * denoiser, and makes a denoiser of it that all loops call alike.
 *
 * <p>It imports {@code component} and {@code denoise}; of a request it sees a {@link
 * dev.slipstream.pipelines.diffusion.family.RecipeRequest}.
 */
package dev.slipstream.pipelines.diffusion.family;
