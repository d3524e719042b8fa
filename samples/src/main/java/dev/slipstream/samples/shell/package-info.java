/**
 * {@code slipstream completion} and {@code slipstream share}: what shells and {@code man} know of the command, made
 * from the same annotations as its help.
 */
package dev.slipstream.samples.shell;
