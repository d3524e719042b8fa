package dev.slipstream.pipelines.diffusion.planning;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What is given up for speed: a plan is exact, or near enough by what was measured of the model, or, where nothing was,
 * by the age of its values.
 *
 * @param name what people call it
 * @param mostAge of values, on average, in steps
 * @param leastDecibels of the pictures' likeness to the exact ones
 */
public record Preference(String name, double mostAge, double leastDecibels) {
    /** Nothing: the pictures of one device, but for rounding. */
    public static final Preference EXACT = new Preference("exact", 0, Double.POSITIVE_INFINITY);
    /**
     * Pictures that one has to compare to see a difference. Where nothing was measured of a model, its values are on
     * average at most a step old: up to three components of AsyncDiff, or a cache that rests at two of three steps.
     */
    public static final Preference BALANCED = new Preference("balanced", 1, 40);
    /** Pictures of the same kind; their values are on average at most two steps old. */
    public static final Preference FAST = new Preference("fast", 2, 30);

    private static final List<Preference> ALL = List.of(EXACT, BALANCED, FAST);
    /** The same pictures have so many. */
    private static final double MOST_DECIBELS = 100;

    /** @param text a name. @throws IllegalArgumentException for anything else */
    public static Preference parse(String text) {
        return ALL.stream().filter(it -> it.name.equals(text)).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no preference '" + text + "'; take "
                + ALL.stream().map(Preference::name).collect(Collectors.joining(", "))));
    }

    /**
     * The same with another least likeness.
     *
     * @throws IllegalArgumentException if it is no number above 0 and up to 100, or only exact plans are wanted
     */
    public Preference withDecibels(double least) {
        if (!(least > 0 && least <= MOST_DECIBELS)) {
            throw new IllegalArgumentException("likeness is more than 0 and at most 100 dB, not " + least
                + "; 40 is hardly seen");
        }
        if (equals(EXACT)) {
            throw new IllegalArgumentException("exact plans are as like as can be; prefer balanced or fast ones");
        }
        return new Preference(name, mostAge, least);
    }

    /** Whether a plan draws well enough. */
    boolean allows(PlanForecast forecast) {
        return forecast.staleness().isNone() || (forecast.decibels().isPresent()
            ? forecast.decibels().getAsDouble() >= leastDecibels : forecast.staleness().age() <= mostAge);
    }

    @Override
    public String toString() {
        return name;
    }
}
