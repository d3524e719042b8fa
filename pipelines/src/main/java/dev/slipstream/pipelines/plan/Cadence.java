package dev.slipstream.pipelines.plan;

/**
 * Which steps are synchronous, and which of the others compute.
 *
 * <p>Steps before {@code warmUp} and the last {@code tail} steps are synchronous: slip 0 everywhere. Behind the warm-up
 * lies the asynchronous window; steps behind that are synchronous again. With stride 1 each step of the window is a
 * round of computing; with stride 2 the odd ones are (the parity is absolute, as in the published schedule), and a
 * round serves the even step after it as well.
 *
 * @param length most steps of the window, whatever the tail leaves of it
 * @param reuse with stride 2, what the even step takes: the prediction of the round again ({@code true}; what the
 *     published code does, where a cached tensor aliases a buffer) or one computed for the even step's own timestep
 *     ({@code false}; what the paper draws)
 * @param timeShift whether stages of the window use the timestep before their own
 */
public record Cadence(int warmUp, int length, int tail, int stride, boolean reuse, boolean timeShift) {
    /** The length of a window that goes on to the tail. */
    public static final int TO_THE_TAIL = Integer.MAX_VALUE;

    /** Every step synchronous. */
    public static final Cadence SYNCHRONOUS = new Cadence(Integer.MAX_VALUE, 0, 1, false, false);

    public Cadence {
        if (warmUp < 1) {
            throw new PlanException("warm-up must be at least 1: the first asynchronous step reads values of a "
                + "synchronous one");
        }
        if (length < 0) {
            throw new PlanException("the asynchronous window cannot have " + length + " steps");
        }
        if (tail < 0) {
            throw new PlanException("the synchronous tail cannot have " + tail + " steps");
        }
        if (stride != 1 && stride != 2) {
            throw new PlanException("stride is 1 or 2, not " + stride);
        }
    }

    /** With a window that goes on to the tail. */
    public Cadence(int warmUp, int tail, int stride, boolean reuse, boolean timeShift) {
        this(warmUp, TO_THE_TAIL, tail, stride, reuse, timeShift);
    }

    /** @param steps of the warm-up, at least 1 */
    Cadence withWarmUp(int steps) {
        return new Cadence(steps, length, tail, stride, reuse, timeShift);
    }

    /** @param steps of the tail */
    Cadence withTail(int steps) {
        return new Cadence(warmUp, length, steps, stride, reuse, timeShift);
    }

    /** Both at once; a cadence without window says nothing of the other. At most one has a stride. */
    Cadence and(Cadence other) {
        if (equals(SYNCHRONOUS) || equals(other)) {
            return other;
        }
        if (other.equals(SYNCHRONOUS)) {
            return this;
        }
        Cadence shape = stride > 1 || timeShift ? this : other;
        int begin = Math.max(warmUp, other.warmUp);
        long end = Math.min((long) warmUp + length, (long) other.warmUp + other.length);
        int both = length == TO_THE_TAIL && other.length == TO_THE_TAIL ? TO_THE_TAIL
            : Math.toIntExact(Math.max(0, end - begin));
        return new Cadence(begin, both, Math.max(tail, other.tail), shape.stride, shape.reuse, shape.timeShift);
    }

    /** How many steps the window has of so many; with stride 2, not all of them compute. */
    public int window(int steps) {
        return Math.max(0, Math.min(length, steps - warmUp - tail));
    }

    public boolean isSynchronous(int step, int steps) {
        return step < warmUp || step - warmUp >= length || step >= steps - tail;
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
