package dev.slipstream.pipelines.plan;

/**
 * Which steps are synchronous, and which of the others compute.
 *
 * <p>Steps before {@code warmUp} and the last {@code tail} steps are synchronous: slip 0 everywhere. Between them lies
 * the asynchronous window. With stride 1 each of its steps is a round of computing; with stride 2 the odd ones are (the
 * parity is absolute, as in the published schedule), and a round serves the even step after it as well.
 *
 * @param reuse with stride 2, what the even step takes: the prediction of the round again ({@code true}; what the
 *     published code does, where a cached tensor aliases a buffer) or one computed for the even step's own timestep
 *     ({@code false}; what the paper draws)
 * @param timeShift whether stages of the window use the timestep before their own
 */
public record Cadence(int warmUp, int tail, int stride, boolean reuse, boolean timeShift) {
    /** Every step synchronous. */
    public static final Cadence SYNCHRONOUS = new Cadence(Integer.MAX_VALUE, 0, 1, false, false);

    public Cadence {
        if (warmUp < 1) {
            throw new PlanException("warm-up must be at least 1: the first asynchronous step reads values of a "
                + "synchronous one");
        }
        if (tail < 0) {
            throw new PlanException("the synchronous tail cannot have " + tail + " steps");
        }
        if (stride != 1 && stride != 2) {
            throw new PlanException("stride is 1 or 2, not " + stride);
        }
    }

    /**
     * Both at once; a cadence without window says nothing of the other. At most one has a stride.
     *
     */
    Cadence and(Cadence other) {
        if (equals(SYNCHRONOUS) || equals(other)) {
            return other;
        }
        if (other.equals(SYNCHRONOUS)) {
            return this;
        }
        Cadence shape = stride > 1 || timeShift ? this : other;
        return new Cadence(Math.max(warmUp, other.warmUp), Math.max(tail, other.tail), shape.stride, shape.reuse,
            shape.timeShift);
    }

    public boolean isSynchronous(int step, int steps) {
        return step < warmUp || step >= steps - tail;
    }

    /** Whether stages run at this step. The even steps of a window with stride 2 reuse what is there. */
    public boolean isRound(int step, int steps) {
        return isSynchronous(step, steps) || stride == 1 || step % 2 == 1;
    }

    /** Index of the timestep that a stage with this lead is given when it runs at this step. */
    public int timeIndex(int step, int lead, int steps) {
        return isSynchronous(step, steps) ? step : Math.min(step + lead, steps - 1) - (timeShift ? 1 : 0);
    }
}
