package dev.slipstream.samples.verify;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;

/** Results for people and for programs. */
final class VerifyReport {
    private VerifyReport() {
    }

    /** A table, one line a case. */
    static String table(List<CaseResult> results, double tolerance) {
        int width = results.stream().mapToInt(result -> result.name().length()).max().orElse(0);
        StringBuilder text = new StringBuilder(
            String.format(Locale.ROOT, "%-" + Math.max(width, 4) + "s  %-12s %5s  %s%n", "case", "largest diff", "step",
                "verdict"));
        for (CaseResult result : results) {
            text.append(String.format(Locale.ROOT, "%-" + Math.max(width, 4) + "s  %12s %5d  %s%n", result.name(),
                Double.isNaN(result.difference()) ? "NaN" : String.format(Locale.ROOT, "%.2e", result.difference()),
                result.step(), result.passed() ? "passed" : "FAILED"));
        }
        long failed = results.stream().filter(result -> !result.passed()).count();
        text.append(failed == 0
            ? String.format(Locale.ROOT, "%d of %d cases agree within %s%n", results.size(), results.size(), tolerance)
            : String.format(Locale.ROOT, "%d of %d cases differ by more than %s%n", failed, results.size(), tolerance));
        return text.toString();
    }

    /** A list of {@code {case, max_abs_diff, step, passed}}; a difference that is no number is {@code null}. */
    static String json(List<CaseResult> results) {
        JsonArray list = new JsonArray();
        for (CaseResult result : results) {
            JsonObject entry = new JsonObject();
            entry.addProperty("case", result.name());
            if (Double.isFinite(result.difference())) {
                entry.addProperty("max_abs_diff", result.difference());
            } else {
                entry.add("max_abs_diff", JsonNull.INSTANCE);
            }
            entry.addProperty("step", result.step());
            entry.addProperty("passed", result.passed());
            list.add(entry);
        }
        return new GsonBuilder().serializeNulls().setPrettyPrinting().create().toJson(list);
    }
}
