/** How a model was trained to see noise, and the timesteps and noise levels through which the steps go. */
package dev.slipstream.pipelines.diffusion.noise.schedule;
