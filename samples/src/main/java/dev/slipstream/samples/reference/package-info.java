/**
 * The numbers of a reference implementation, on disk, for the commands that compare with them or measure on them. A
 * {@code ReferenceFolder} is a whole folder, a {@code ReferenceCase} one line of its {@code cases.json} as a strategy
 * and a number of devices, {@code LoopInputs} what its loop reads.
 */
package dev.slipstream.samples.reference;
