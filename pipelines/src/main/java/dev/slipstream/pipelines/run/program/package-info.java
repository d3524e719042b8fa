/**
 * An unrolled plan: per stream a flat list of instructions on buffers.
 *
 * <p>A {@link dev.slipstream.pipelines.run.program.Program} can be printed, compared, executed on devices
 * ({@code dev.slipstream.pipelines.run.Execution}) or run in virtual time
 * ({@code dev.slipstream.pipelines.run.simulate.Simulator}); of both a
 * {@link dev.slipstream.pipelines.run.program.Recording} makes a timeline. Immutable values, which know no plan and no
 * noise scheduler.
 */
package dev.slipstream.pipelines.run.program;
