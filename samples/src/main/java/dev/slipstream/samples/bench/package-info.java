/**
 * {@code slipstream bench}: all plans on one model in interleaved rounds: time, likeness to the exact picture, bytes.
 *
 * <p>{@link dev.slipstream.samples.bench.BenchCommand} is the command. A {@code Contender} is a plan on devices,
 * opened; a {@code Contest} lets all of them draw the same pictures in turn; a {@code LoopProbe} looks into the loop of
 * one (processing time, heap allocations, host time); and a {@code BenchRow} is all that is known of it at the end.
 */
package dev.slipstream.samples.bench;
