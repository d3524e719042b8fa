/**
 * Checkpoints in the layout of the original implementations, where a whole model, its denoiser or its autoencoder is
 * one file: a {@link dev.slipstream.pipelines.model.original.ModelSource} opens one like a model folder. The names of
 * their tensors are tables ({@code *.keys}), and so is which of them have configurations that are known ({@code
 * known.models}).
 */
package dev.slipstream.pipelines.model.original;
