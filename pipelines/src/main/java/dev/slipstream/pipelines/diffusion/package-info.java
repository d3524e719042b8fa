/**
 * From a prompt to a picture: the public API, and the running of requests.
 *
 * <p>{@link dev.slipstream.pipelines.diffusion.DiffusionPipeline} opens a model folder and draws {@link
 * dev.slipstream.pipelines.diffusion.ImageRequest}s; a {@link dev.slipstream.pipelines.diffusion.PipelineSpec} is a dry
 * run of it. A {@link dev.slipstream.pipelines.diffusion.ResolvedRequest} is a request as a model reads it, worked out
 * once. A {@link dev.slipstream.pipelines.diffusion.RequestWork} has what is missing built, and lets each model take
 * its steps, when the {@code queue} says that it is its turn; where a refiner takes the last ones, it gets the latents
 * of the model before.
 *
 * <p>No argument and no result is null, as in all packages that are exported: what may be absent is an {@link
 * java.util.Optional}. Records that are results ({@link dev.slipstream.pipelines.diffusion.Progress}, {@link
 * dev.slipstream.pipelines.diffusion.GeneratedImage.Adapter}, {@link
 * dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement}) are made by Slipstream, and get more components: their
 * constructors are no API.
 *
 * <p>Rooms of their own, arrows pointing down: {@code family} (what is different from family to family), {@code
 * component} (text encoders and autoencoder), {@code denoise} (the denoiser, cut and placed), {@code noise} (noise
 * schedulers as coefficients, seeded noise), {@code text} (tokenizers), {@code image} (pictures and PNG files), {@code
 * planning} (which plan to take), {@code queue} (turns of requests), {@code reuse} (what requests say of the cache of
 * latents) and {@code callback} (how callers are called back).
 */
@NullMarked
package dev.slipstream.pipelines.diffusion;

import org.jspecify.annotations.NullMarked;
