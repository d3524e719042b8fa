package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import java.util.Arrays;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * Where DPM-Solver and its kin (DEIS, UniPC) place their steps: in the variance preserving space or, for models trained
 * by flow matching, on the straight line.
 *
 * @param usedTimesteps how many of the trained timesteps, from 0 on, are clean enough to be used
 * @param flow whether sigmas are those of flow matching
 * @param flowShift more than 1 spends more steps at high noise, of flow matching
 * @param startsAtNoise whether levels of flow matching begin at noise, instead of ending at the least trained one
 * @param terminal the level to which those of flow matching are stretched; 0 to leave them
 * @param endsClean whether the last step ends at sigma 0
 * @param endStays whether a path of chosen levels that does not end clean stays at its last level
 * @param cosine whether no timestep is rounded, but cut off
 */
public record SolverSpacing(SigmaSchedule sigmas, TimestepSpacing timesteps, int offset, int usedTimesteps,
                            SigmaSpacing spacing, boolean flow, double flowShift, boolean startsAtNoise,
                            double terminal, boolean endsClean, boolean endStays, boolean cosine) {
    /** Cutting off takes what lies at a timestep, but for the last digits of fp32, for the one below. */
    private static final double FP32_DIGITS = 1e-4;
    private static final double ALMOST_NOISE = 1 - 1e-6;

    public static SolverSpacing read(SchedulerOptions options, SigmaSchedule sigmas, Set<Kind> known) {
        return read(options, sigmas, known, false);
    }

    /** @param karrasOfFlow whether the method can space levels of flow matching as Karras et al. do */
    public static SolverSpacing read(SchedulerOptions options, SigmaSchedule sigmas, Set<Kind> known,
                                     boolean karrasOfFlow) {
        boolean flow = known.contains(Kind.FLOW) && options.flag(Kind.FLOW.option(), false);
        if (flow && options.flag("use_dynamic_shifting", false)) {
            throw options.error("use_dynamic_shifting is true, which this method does not support; set it to false "
                + "and flow_shift to a number, or choose flow-match-euler");
        }
        SigmaSpacing spacing = SigmaSpacing.read(options, known);
        if (flow && !spacing.is(Kind.FLOW) && !(karrasOfFlow && spacing.is(Kind.KARRAS))) {
            throw options.error("use_flow_sigmas is true, and so is " + spacing.kind().option()
                + ", another spacing of sigmas; set one to false");
        }
        int clipped = sigmas.below(options.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        if (clipped == sigmas.timesteps()) {
            throw options.error("lambda_min_clipped leaves no timestep");
        }
        return new SolverSpacing(sigmas, TimestepSpacing.read(options, "linspace"), options.integer("steps_offset", 0),
            sigmas.timesteps() - clipped, spacing, flow,
            flow ? options.positiveNumber("flow_shift", 1) : 1, false, 0, SigmaSchedule.endsClean(options), false,
            options.text("beta_schedule", "").equals("squaredcos_cap_v2"));
    }

    /** As DEIS has it: no end at sigma 0, and all timesteps but those of Karras spacing cut off. */
    public SolverSpacing endingNoisy() {
        return new SolverSpacing(sigmas, timesteps, offset, sigmas.timesteps(), spacing, flow, flowShift, startsAtNoise,
            terminal, false, true, false);
    }

    /** As UniPC has it. @param end the level to which those of flow matching are stretched; 0 to leave them */
    public SolverSpacing startingAtNoise(double end) {
        return new SolverSpacing(sigmas, timesteps, offset, sigmas.timesteps(), spacing, flow, flowShift, true, end,
            endsClean, true, false);
    }

    /** As the singlestep solver has it. */
    public SolverSpacing linspace() {
        return new SolverSpacing(sigmas, TimestepSpacing.LINSPACE, 0, usedTimesteps, spacing, flow, flowShift,
            startsAtNoise, terminal, endsClean, endStays, false);
    }

    /** How many timesteps the model was trained with. */
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    /** A method's name with the spacing behind it, where there is one: {@code deis-karras}. */
    public String name(String method) {
        return spacing.name(method);
    }

    /** The levels and timesteps of so many steps. */
    public SigmaPath path(int steps) {
        if (spacing.is(Kind.TIMESTEPS)) {
            double[] times = Arrays.stream(timesteps.solverTimesteps(sigmas.timesteps(), usedTimesteps, steps, offset))
                .asDoubleStream().toArray();
            return path(times, Arrays.stream(times).map(sigmas::at).toArray(), sigmas.min());
        }
        if (spacing.is(Kind.FLOW)) {
            return flowPath(FlowShift.stretched(
                IntStream.range(0, steps).mapToDouble(step -> shifted(flowSigma(steps, step))).toArray(), terminal));
        }
        double[] levels = spacing.levels(sigmas.max(), sigmas.min(), steps);
        if (flow) {
            return flowPath(Arrays.stream(levels).map(sigma -> sigma / (1 + sigma)).toArray());
        }
        boolean rounded = !cosine && (spacing.is(Kind.KARRAS) || spacing.is(Kind.LU));
        DoubleUnaryOperator whole = rounded ? Math::rint : time -> Math.max(0, Math.floor(time - FP32_DIGITS));
        return path(Arrays.stream(levels).map(sigmas::timestep).map(whole).toArray(), levels,
            endStays ? levels[steps - 1] : sigmas.min());
    }

    private SigmaPath path(double[] times, double[] levels, double noisyEnd) {
        return new SigmaPath(NoiseSpace.VARIANCE_PRESERVING, times, levels, endsClean ? 0 : noisyEnd);
    }

    private SigmaPath flowPath(double[] levels) {
        if (endStays) {
            levels[0] = Math.min(levels[0], ALMOST_NOISE);
        }
        double[] times = Arrays.stream(levels).map(sigma -> Math.floor(sigma * sigmas.timesteps())).toArray();
        double last = endStays ? levels[levels.length - 1] : sigmas.min();
        return new SigmaPath(NoiseSpace.STRAIGHT, times, levels, endsClean ? 0 : last);
    }

    /**
     * Evenly spaced between noise and the least trained level, one end of which is left out. By the very operations of
     * diffusers, whose timesteps are cut off: rounding decides which they are.
     */
    private double flowSigma(int steps, int step) {
        double least = 1.0 / sigmas.timesteps();
        double stride = (least - 1) / steps;
        if (startsAtNoise) {
            return step * stride + 1;
        }
        return 1 - (step == 0 ? least : (steps - step) * stride + 1);
    }

    private double shifted(double sigma) {
        return flowShift * sigma / (1 + (flowShift - 1) * sigma);
    }
}
