/**
 * {@code slipstream verify}: runs the cases of a reference folder as real plans on real devices and compares the
 * latents of every step; or noise schedulers alone, with a table of what others give.
 *
 * <p>{@link dev.slipstream.samples.verify.VerifyCommand} is the command. A {@code CaseRunner} turns a case into
 * latents, and a {@code CaseResult} is the verdict.
 */
package dev.slipstream.samples.verify;
