/**
 * Transformers in parts and patches, as PipeFusion has them: a network of segments of which each computes some blocks
 * for some rows of the picture.
 *
 * <p>{@link dev.slipstream.pipelines.graph.pipe.PipeNetwork} makes it. Inside, {@code TokenFlow} follows the picture's
 * tokens through a graph with fixed shapes, operator by operator ({@code OperatorRules}), and says of each tensor along
 * which axis they lie ({@code TokenLayout}); {@code PatchGraph} then is the graph of one part for one
 * {@link dev.slipstream.pipelines.graph.pipe.Patch}. Shapes stay constants, since exporters write graphs that take
 * pictures of one size only, which cannot be fixed to that of a patch.
 *
 * @see <a href="https://arxiv.org/abs/2405.14430">Fang et al., PipeFusion</a>
 */
@NullMarked
package dev.slipstream.pipelines.graph.pipe;

import org.jspecify.annotations.NullMarked;
