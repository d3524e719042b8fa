/**
 * Weights as they are stored: {@link dev.slipstream.pipelines.model.weights.SafetensorsFile} maps the tensors of a
 * file, {@link dev.slipstream.pipelines.model.weights.SafetensorsWriter} writes one, {@link
 * dev.slipstream.pipelines.model.weights.ComponentWeights} finds those of a component in one file or several, and a
 * {@link dev.slipstream.pipelines.model.weights.Checkpoint} starts a graph over them.
 */
package dev.slipstream.pipelines.model.weights;
