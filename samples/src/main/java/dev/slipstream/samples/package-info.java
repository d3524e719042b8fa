/**
 * The {@code slipstream} command. {@code Main} finds the subcommand and runs it; each subcommand has a package of its
 * own, which knows the library and these four, and no other subcommand:
 *
 * <ul>
 * <li>{@code options}: options that several commands have;
 * <li>{@code terminal}: how commands talk to those who call them: results, complaints, exit codes;
 * <li>{@code settings}: values of options from variables and the configuration file;
 * <li>{@code reference}: the numbers of a reference implementation, on disk.
 * </ul>
 *
 * No logic of diffusion lives here.
 */
package dev.slipstream.samples;
