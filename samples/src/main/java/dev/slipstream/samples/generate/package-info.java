/**
 * {@code slipstream generate}: a prompt becomes a file. Start with {@code GenerateCommand}.
 */
package dev.slipstream.samples.generate;
