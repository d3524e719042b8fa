package dev.slipstream.pipelines.run.program;

import dev.slipstream.pipelines.plan.Rounds.Rule;

/**
 * What is decided at steps while a program runs: which of two bodies, both of which are in the program, is launched.
 *
 * @param stage what it decides about, as people call it: a stage, or {@link #WINDOW}
 */
public record Decision(String stage, Rule rule) {
    /** What is decided about where a step lies in the asynchronous window or outside it. */
    public static final String WINDOW = "the window";

    /** Something is launched only where a decision has this outcome, at the step that it serves. */
    public record Condition(int decision, boolean outcome) {
    }

    /** How it went at a step. @param measure what was decided by */
    public record Outcome(int step, float measure, boolean runs) {
        @Override
        public String toString() {
            return "step " + (step + 1) + (runs ? " ran (" : " rested (") + measure + ")";
        }
    }
}
