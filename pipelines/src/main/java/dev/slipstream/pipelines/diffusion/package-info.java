/**
 * From a prompt to a picture.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.DiffusionPipeline} is the front door: it opens a model folder and draws
 * {@link dev.slipstream.pipelines.diffusion.ImageRequest}s. Behind it a
 * {@link dev.slipstream.pipelines.diffusion.PipelineModel} has the components, be they graphs or checkpoints, a
 * {@link dev.slipstream.pipelines.diffusion.ResolvedRequest} is a request as such a model reads it, and {@link
 * dev.slipstream.pipelines.diffusion.RequestTensors} makes what the loop is given for it: families of models differ in
 * these, and in nothing that runs. A
 * {@link dev.slipstream.pipelines.diffusion.Blueprint} fixes the denoiser to sizes, cuts it and makes the plan, and a
 * {@link dev.slipstream.pipelines.diffusion.Denoiser} has its engines built. Where a refiner takes the last steps, each
 * of both models has a draft, engines and a loop of its own, a {@link dev.slipstream.pipelines.diffusion.Turn} is its
 * part of a picture, and the {@link dev.slipstream.pipelines.diffusion.Painter} hands the latents on. The {@link
 * dev.slipstream.pipelines.diffusion.Autoencoder} works outside the loop, whole or in {@link
 * dev.slipstream.pipelines.diffusion.Tiles}.
 *
 * <p>Host code that knows nothing of devices lies in {@code noise} (noise schedulers as coefficients, seeded noise),
 * {@code text} (tokenizers) and {@code image} (pictures and PNG files).
 */
package dev.slipstream.pipelines.diffusion;
