/** The entries of a {@code scheduler_config.json}, read with checks, and the exception that names what is wrong. */
package dev.slipstream.pipelines.diffusion.noise.config;
