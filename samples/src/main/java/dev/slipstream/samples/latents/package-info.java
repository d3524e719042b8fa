/**
 * {@code slipstream cache}: shows, checks and empties the cache of latents; a class for each command.
 */
package dev.slipstream.samples.latents;
