package dev.slipstream.pipelines.diffusion.planning;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The plan to take, and why.
 *
 * @param base what one device takes, as it is; where the model does not fit on one, the plan that comes nearest
 * @param reason in one line
 */
public record Choice(PlanForecast taken, PlanForecast base, String reason) {
    /** Predictions are not better than that: plans nearer to each other count as equally fast. */
    private static final double EQUAL = 0.02;

    /**
     * Picks the fastest plan that draws well enough and fits; of those that are equally fast the one with fewer stale
     * values, devices and copied bytes. A plan that is predicted slower than one device is never taken.
     *
     * @param forecasts of which the first is that of one device as it is
     * @throws IllegalArgumentException if no plan fits the devices' memory
     */
    public static Choice of(List<PlanForecast> forecasts, Preference preference) {
        List<PlanForecast> fitting = forecasts.stream().filter(PlanForecast::fits).toList();
        if (fitting.isEmpty()) {
            throw new IllegalArgumentException("no plan fits the memory of the devices; take more or larger ones, a "
                + "smaller picture, or a narrower precision");
        }
        PlanForecast base = fitting.contains(forecasts.getFirst()) ? forecasts.getFirst()
            : fitting.stream().filter(it -> it.staleness().isNone())
                .max(Comparator.comparingLong(PlanForecast::nanos)).orElse(fitting.getFirst());
        List<PlanForecast> allowed =
            fitting.stream().filter(it -> it.equals(base) || preference.allows(it)).toList();
        long fastest = allowed.stream().mapToLong(PlanForecast::nanos).min().orElseThrow();
        PlanForecast taken = allowed.stream().filter(it -> it.nanos() <= fastest * (1 + EQUAL))
            .min(Comparator.<PlanForecast>comparingDouble(it -> it.staleness().age())
                .thenComparingInt(PlanForecast::devices).thenComparingLong(PlanForecast::copiedBytes)
                .thenComparingLong(PlanForecast::nanos)).orElseThrow();
        return new Choice(taken, base, reason(taken, base, forecasts, preference));
    }

    private static String reason(PlanForecast taken, PlanForecast base, List<PlanForecast> forecasts,
        Preference preference) {
        StringBuilder text = new StringBuilder(name(taken)).append(taken.equals(base) ? "" : String.format(Locale.ROOT,
            ": predicted %.2f times as fast as %s", taken.speedUp(base), name(base)))
            .append(", ").append(quality(taken));
        if (taken.equals(base)) {
            text.append("; nothing that is ").append(preference).append(" is predicted faster");
        }
        faster(taken, forecasts).ifPresent(other -> text.append(String.format(Locale.ROOT,
            "; %s would be %.2f times as fast, %s", name(other), other.speedUp(base),
            other.fits() ? quality(other) : "but does not fit")));
        return text.toString();
    }

    private static Optional<PlanForecast> faster(PlanForecast taken, List<PlanForecast> forecasts) {
        return forecasts.stream().filter(it -> it.nanos() < taken.nanos() / (1 + EQUAL))
            .min(Comparator.comparingLong(PlanForecast::nanos));
    }

    private static String name(PlanForecast forecast) {
        return forecast.plan() + " on " + (forecast.devices() == 1 ? "one device"
            : forecast.devices() + " devices");
    }

    private static String quality(PlanForecast forecast) {
        return forecast.staleness().isNone() ? "exact" : forecast.decibels().isPresent()
            ? String.format(Locale.ROOT, "%.1f dB to the exact pictures", forecast.decibels().getAsDouble())
            : String.format(Locale.ROOT, "%.0f %% of its values stale", 100 * forecast.staleness().share())
            + (forecast.assumed() ? ", as is assumed of what the loop decides" : "");
    }
}
