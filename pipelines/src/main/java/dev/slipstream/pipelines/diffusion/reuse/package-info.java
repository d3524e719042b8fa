/**
 * What requests say and learn of a pipeline's cache of latents: {@link
 * dev.slipstream.pipelines.diffusion.reuse.CacheUse} is a wish, and {@link
 * dev.slipstream.pipelines.diffusion.reuse.CacheReport} what became of it.
 */
@NullMarked
package dev.slipstream.pipelines.diffusion.reuse;

import org.jspecify.annotations.NullMarked;
