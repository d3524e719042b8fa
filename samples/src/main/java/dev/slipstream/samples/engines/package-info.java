/**
 * {@code slipstream engines}: shows, fills and empties the store of compiled engines; a class for each command.
 */
package dev.slipstream.samples.engines;
