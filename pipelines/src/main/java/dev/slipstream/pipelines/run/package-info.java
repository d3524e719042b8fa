/**
 * From a plan to work on devices.
 *
 * <p>The {@link dev.slipstream.pipelines.run.Unroller} turns a plan and a
 * {@link dev.slipstream.pipelines.run.NoiseTable} into a {@link dev.slipstream.pipelines.run.Program}: per stream a
 * flat list of instructions. It thinks in values that never change; the {@code Lowering} gives them buffers by
 * liveness and derives every wait. The same program is run on devices
 * ({@link dev.slipstream.pipelines.run.Execution}) or in virtual time
 * ({@link dev.slipstream.pipelines.run.Simulator}); both give a {@link dev.slipstream.pipelines.run.Timeline}.
 */
package dev.slipstream.pipelines.run;
