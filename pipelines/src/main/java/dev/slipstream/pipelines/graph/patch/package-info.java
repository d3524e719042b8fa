/**
 * A denoiser rewritten for patches of the latents: one graph a patch, which takes what it needs of the others as
 * further inputs (rows beside its own for convolutions, keys and values for attention, statistics for norms), so that a
 * plan can say how old these may be (Li et al., "DistriFusion", CVPR 2024; "PCPP", arXiv 2412.02962).
 *
 * <p>{@link dev.slipstream.pipelines.graph.patch.PatchedNetwork} makes the graphs: one a patch, one that puts their
 * predictions together, and the whole with the tensors that patches read as further outputs ("taps"), for steps in
 * which all is fresh. {@link dev.slipstream.pipelines.graph.patch.Patching} says how many patches there are and what
 * they exchange. Inside, {@code Sites} finds the operators that look beyond a patch and refuses graphs with others,
 * {@code Piece} says which part of a tensor one patch has of another, {@code GroupStatistics} writes the norms, and
 * {@code StatisticsPack} puts what patches tell each other of several norms into one tensor.
 */
package dev.slipstream.pipelines.graph.patch;
