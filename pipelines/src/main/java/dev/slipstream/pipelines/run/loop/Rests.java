package dev.slipstream.pipelines.run.loop;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * At which steps components of a network rest: their segments do not run then, and what reads them takes zeros. A
 * ControlNet rests outside its range of steps. What the step makes at which a component rests is zeros for later steps
 * that read it, too.
 *
 * @param steps by component, as the outlines of a plan's segments number it, the steps at which it rests, from 0
 */
public record Rests(Map<Integer, Set<Integer>> steps) {
    /** All run at every step at which they are read. */
    public static final Rests NONE = new Rests(Map.of());

    public Rests {
        Map<Integer, Set<Integer>> copy = new HashMap<>();
        steps.forEach((component, at) -> copy.put(component, Set.copyOf(at)));
        steps = Map.copyOf(copy);
    }

    public boolean at(int component, int step) {
        return steps.getOrDefault(component, Set.of()).contains(step);
    }

    /** Whether a component rests at some step. */
    public boolean ever(int component) {
        return !steps.getOrDefault(component, Set.of()).isEmpty();
    }
}
