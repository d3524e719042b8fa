package dev.slipstream.pipelines.diffusion.planning;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is given up for speed. */
public enum Preference {
    /** Nothing: the pictures of one device, but for rounding. */
    EXACT(0, Double.POSITIVE_INFINITY),
    /**
     * Pictures that one has to compare to see a difference. Where nothing was measured of a model, its values are on
     * average at most a step old: up to three components of AsyncDiff, or a cache that rests at two of three steps.
     */
    BALANCED(1, 40),
    /** Pictures of the same kind; their values are on average at most two steps old. */
    FAST(2, 30);

    private final double mostAge;
    private final double leastDecibels;

    Preference(double mostAge, double leastDecibels) {
        this.mostAge = mostAge;
        this.leastDecibels = leastDecibels;
    }

    /** @param text a name in small letters. @throws IllegalArgumentException for anything else */
    public static Preference parse(String text) {
        return Arrays.stream(values()).filter(it -> it.toString().equals(text)).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no preference '" + text + "'; take "
                + Arrays.stream(values()).map(Preference::toString).collect(Collectors.joining(", "))));
    }

    /** Whether a plan draws well enough: by what was measured of it, and else by the age of its values. */
    boolean allows(PlanForecast forecast) {
        return forecast.decibels().isPresent() ? forecast.decibels().getAsDouble() >= leastDecibels
            : forecast.staleness().age() <= mostAge;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
