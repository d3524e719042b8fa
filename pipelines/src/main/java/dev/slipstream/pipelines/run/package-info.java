/**
 * From a plan to work on devices.
 *
 * <p>The {@link dev.slipstream.pipelines.run.Unroller} turns a plan and a
 * {@link dev.slipstream.pipelines.run.NoiseTable} into a {@link dev.slipstream.pipelines.run.Program}: per stream a
 * flat list of instructions. It thinks in values that never change; the {@code Lowering} gives them buffers (from a
 * {@code BufferPool}) and derives every wait. The same program is run on devices
 * ({@link dev.slipstream.pipelines.run.Execution}) or in virtual time
 * ({@link dev.slipstream.pipelines.run.Simulator}); both give a {@link dev.slipstream.pipelines.run.Timeline}.
 *
 * <p>Around an execution: {@code Binder} makes a command of each instruction; {@code Recurrence} finds what steps
 * have in common, and {@code Replay} records it once where devices can replay; {@code Watch} waits with patience and,
 * through {@code Impasse}, says who waits for whom; {@code Guards} says which stage made the first bad value.
 */
package dev.slipstream.pipelines.run;
