/**
 * How a model fails: it is not what it should be ({@link dev.slipstream.pipelines.model.ModelException}), or is asked
 * for what it cannot do ({@link dev.slipstream.pipelines.model.RequestException}).
 *
 * <p>The packages below, each of which uses only those before it: {@code config} (what configurations say), {@code
 * weights} (safetensors files, and the weights of a component), {@code folder} (a model in the layout of diffusers),
 * {@code layer}, one package for each kind of component that is written as a graph ({@code clip}, {@code unet}, {@code
 * vae}), {@code kind} (which of them a configuration describes), {@code lora} (changes of weights), and {@code init}
 * (new models with random weights).
 */
@NullMarked
package dev.slipstream.pipelines.model;

import org.jspecify.annotations.NullMarked;
