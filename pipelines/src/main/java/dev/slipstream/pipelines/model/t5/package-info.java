/**
 * transformers' {@code T5EncoderModel}, the text encoder of Stable Diffusion 3, FLUX and PixArt, written as a graph
 * from its {@code config.json} and its checkpoint. {@link dev.slipstream.pipelines.model.t5.T5Encoder} is the way in.
 */
@NullMarked
package dev.slipstream.pipelines.model.t5;

import org.jspecify.annotations.NullMarked;
