/**
 * Layers that the transformers among denoisers share, beside those of {@code layer}: tokens and the patches of a
 * picture that they stand for, norms whose scale and shift come from the timestep, and attention between
 * projections.
 *
 * <p>Streams of tokens are [rows, tokens, channels]. Linear layers take all rows as one matrix, so that each is one
 * operator.
 */
@NullMarked
package dev.slipstream.pipelines.model.transformer;

import org.jspecify.annotations.NullMarked;
