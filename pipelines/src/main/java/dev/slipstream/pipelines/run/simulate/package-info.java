/**
 * Programs in virtual time: a forecast of what a plan takes on a machine that need not be there.
 *
 * <p>A {@link dev.slipstream.pipelines.run.simulate.Machine} says how long things take, a
 * {@link dev.slipstream.pipelines.run.simulate.Simulator} runs a program on it and gives a
 * {@link dev.slipstream.pipelines.run.simulate.Forecast}. No clock is read, so the same question has the same answer
 * everywhere.
 */
package dev.slipstream.pipelines.run.simulate;
