/**
 * Networks are joined, then cut: a ControlNet, an adapter or a guide is a graph of its own that becomes part of the
 * denoiser's, so that every strategy cuts and places it like the rest. {@link
 * dev.slipstream.pipelines.graph.join.GraphJoin} does it.
 */
@NullMarked
package dev.slipstream.pipelines.graph.join;

import org.jspecify.annotations.NullMarked;
