/**
 * The {@code slipstream} command. {@code Main} runs it; each subcommand is a class of its own, made of options
 * ({@code ...Options}), calls of the library, and reports. No logic of diffusion lives here.
 */
package dev.slipstream.samples;
