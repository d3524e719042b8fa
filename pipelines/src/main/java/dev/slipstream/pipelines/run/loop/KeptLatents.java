package dev.slipstream.pipelines.run.loop;

import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * After which steps of a loop its latents stay readable until the next run; those of the last step always do. Each has
 * memory of its own on the device, and steps that leave some are not like the others, so a loop replays less of what
 * recurs.
 *
 * @param all after every step
 * @param after these, counted from 0
 */
public record KeptLatents(boolean all, Set<Integer> after) {
    /** Those of the last step alone. */
    public static final KeptLatents LAST = new KeptLatents(false, Set.of());
    public static final KeptLatents ALL = new KeptLatents(true, Set.of());

    public KeptLatents {
        after = Set.copyOf(after);
    }

    /** Those after some steps, counted from 0, and the last. */
    public static KeptLatents after(Collection<Integer> steps) {
        return new KeptLatents(false, Set.copyOf(steps));
    }

    /** Those of both. */
    public KeptLatents and(KeptLatents other) {
        return new KeptLatents(all || other.all,
            Stream.concat(after.stream(), other.after.stream()).collect(Collectors.toSet()));
    }

    /** @param step counted from 0, of so many */
    boolean isAfter(int step, int steps) {
        return all || step == steps - 1 || after.contains(step);
    }
}
