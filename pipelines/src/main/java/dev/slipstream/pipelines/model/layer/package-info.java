/**
 * Layers that the components of diffusion models share, written into graphs as engines run them fastest. Each reads its
 * weights from the {@link dev.slipstream.pipelines.graph.build.Scope} that it is given, under the names that PyTorch
 * gives them.
 */
package dev.slipstream.pipelines.model.layer;
