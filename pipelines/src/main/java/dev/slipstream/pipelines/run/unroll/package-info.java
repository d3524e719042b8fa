/**
 * From a plan and a loop to a program.
 *
 * <p>The {@link dev.slipstream.pipelines.run.unroll.Unroller} walks through the steps and thinks in values that are
 * written once and never change. {@code LiveRuns} says which stages have to run at which steps; {@code StepInputs},
 * {@code Predictions} and {@code SchedulerSteps} make the work around the stages, {@code DecidedRuns} that around those
 * about which is decided while the loop runs, and {@code DecidedWindow} that around steps of which it is decided
 * whether they lie in the window; the {@code Lowering} gives the values buffers and derives every wait.
 */
package dev.slipstream.pipelines.run.unroll;
