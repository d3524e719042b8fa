/**
 * {@code slipstream bench}: measurements on this machine, in interleaved rounds. Three commands, each with its
 * benchmark and the rows that it gives:
 *
 * <ul>
 * <li>{@code BenchCommand}: all plans on one model ({@code PlanBenchmark}); a {@code LoopProbe} looks into the loop of
 * one;
 * <li>{@code BenchStepsCommand}: denoising steps on one device ({@code StepBenchmark});
 * <li>{@code BenchGraphsCommand}: an exporter's graph and ours ({@code GraphBenchmark}).
 * </ul>
 */
package dev.slipstream.samples.bench;
