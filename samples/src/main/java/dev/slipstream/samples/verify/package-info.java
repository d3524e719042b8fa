/**
 * {@code slipstream verify}: runs the cases of a reference folder as real plans on real devices and compares the
 * latents of every step.
 *
 * <p>{@link dev.slipstream.samples.verify.VerifyCommand} is the command. A {@code ReferenceFolder} is what lies on
 * disk, a {@code ReferenceCase} one line of its {@code cases.json} as a strategy and a number of devices,
 * {@code LoopInputs} what the loop reads, a {@code CaseRunner} turns a case into latents, and a {@code CaseResult} is
 * the verdict.
 */
package dev.slipstream.samples.verify;
