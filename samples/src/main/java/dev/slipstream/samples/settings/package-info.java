/**
 * Values of options that the command line does not give: those of the environment and of the configuration file. It
 * knows options by their names only, and no command.
 */
package dev.slipstream.samples.settings;
