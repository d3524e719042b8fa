package dev.slipstream.samples.terminal;

import java.time.Duration;
import java.util.Locale;

/** Amounts in a form for people. */
public final class Amounts {
    private static final String[] PREFIXES = {"k", "M", "G", "T", "P", "E"};

    private Amounts() {
    }

    /** Decimal units: {@code 1.5 MB} is 1 500 000 bytes. */
    public static String bytes(long count) {
        if (count < 1000) {
            return count + " B";
        }
        double amount = count / 1000.0;
        int prefix = 0;
        // 999.95 and more would be rounded to 1000.0, which is 1.0 of the next unit.
        while (amount >= 999.95) {
            amount /= 1000;
            prefix++;
        }
        return String.format(Locale.ROOT, "%.1f %sB", amount, PREFIXES[prefix]);
    }

    /** {@code 1 engine}, {@code 2 engines}. */
    public static String count(int count, String thing) {
        return count + " " + thing + (count == 1 ? "" : "s");
    }

    /** Milliseconds, or seconds from ten seconds on. */
    public static String time(Duration time) {
        double millis = millis(time);
        return millis < 9_999.5 ? String.format(Locale.ROOT, millis < 99.95 ? "%.1f ms" : "%.0f ms", millis)
            : String.format(Locale.ROOT, "%.1f s", millis / 1000);
    }

    public static double millis(Duration time) {
        return Math.round(time.toNanos() / 1e3) / 1e3;
    }
}
