package dev.slipstream.pipelines.run;

/**
 * How much of a program is replayed, once its recordings are made.
 *
 * @param steps of the program
 * @param instructions of the program
 * @param replayed instructions that are part of a recording
 * @param recordings how many different ones there are
 * @param calls that queue the whole program: one for each replay, and one for each instruction outside
 */
public record Replays(int steps, int instructions, int replayed, int recordings, int calls) {
    /** Instructions of a step that are replayed, on average. */
    public double replayedPerStep() {
        return (double) replayed / steps;
    }

    /** Calls that queue a step, on average. */
    public double callsPerStep() {
        return (double) calls / steps;
    }
}
