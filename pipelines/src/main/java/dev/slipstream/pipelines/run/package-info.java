/**
 * Programs on devices.
 *
 * <p>A loop (the package {@code loop}) and a plan are unrolled ({@code unroll}) into a program ({@code program}); an
 * {@link dev.slipstream.pipelines.run.Execution} makes it ready on devices and runs it. {@code Binder} makes a command
 * of each instruction; {@code CaptureRegion} finds what steps have in common, and {@code RegionLauncher} captures it
 * once, as a graph, on devices that can; {@code Watchdog} waits with patience and, through {@code StallReport}, says
 * which stream waits for which; {@code FiniteChecks} says which stage made the first NaN or infinite value.
 */
package dev.slipstream.pipelines.run;
