/**
 * New models with random weights, in the layout of diffusers: tiny ones to try every part of a pipeline in seconds, and
 * such of real size to find out about memory and time. {@link dev.slipstream.pipelines.model.init.ModelTemplate} is the
 * way in; the sizes are in a JSON file for each {@link dev.slipstream.pipelines.model.init.ModelFamily}.
 */
package dev.slipstream.pipelines.model.init;
