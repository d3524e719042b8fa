/**
 * diffusers' {@code DiTTransformer2DModel}, which draws pictures of a class (Peebles and Xie 2022), written as a graph
 * from its {@code config.json} and its checkpoint. {@link dev.slipstream.pipelines.model.dit.DitTransformer} is the way
 * in.
 */
@NullMarked
package dev.slipstream.pipelines.model.dit;

import org.jspecify.annotations.NullMarked;
