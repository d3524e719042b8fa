/**
 * Requests of a pipeline, whose loops run one after another: a
 * {@link dev.slipstream.pipelines.diffusion.queue.RequestQueue} of
 * {@link dev.slipstream.pipelines.diffusion.queue.QueuedWork}, and what goes on
 * {@link dev.slipstream.pipelines.diffusion.queue.Beside} the loops. It knows threads and turns, and nothing of models.
 */
@NullMarked
package dev.slipstream.pipelines.diffusion.queue;

import org.jspecify.annotations.NullMarked;
