/**
 * {@code slipstream cache}: shows, checks and empties the cache of latents, and measures when it serves; a class for
 * each command.
 */
package dev.slipstream.samples.latents;
