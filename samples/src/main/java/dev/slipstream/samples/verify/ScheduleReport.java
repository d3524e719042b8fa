package dev.slipstream.samples.verify;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;

/** What came of the cases of a table of noise schedules, for people and for programs. */
final class ScheduleReport {
    private ScheduleReport() {
    }

    /** A line for each case that does not agree, and one for all. */
    static String text(List<ScheduleCase.Result> results) {
        StringBuilder text = new StringBuilder();
        for (ScheduleCase.Result result : results) {
            if (!result.agrees()) {
                text.append(result.name()).append(": ").append(result.reason().orElseGet(() ->
                    String.format(Locale.ROOT, "differs by %.2e of the largest latent", result.difference())))
                    .append(System.lineSeparator());
            }
        }
        long agreeing = results.stream().filter(ScheduleCase.Result::agrees).count();
        return text + String.format("%d of %d noise schedules agree%n", agreeing, results.size());
    }

    /** An object with {@code cases}, each {@code {name, agrees, difference}} and, if there is one, a {@code reason}. */
    static String json(List<ScheduleCase.Result> results) {
        JsonArray cases = new JsonArray();
        for (ScheduleCase.Result result : results) {
            JsonObject entry = new JsonObject();
            entry.addProperty("name", result.name());
            entry.addProperty("agrees", result.agrees());
            if (Double.isFinite(result.difference())) {
                entry.addProperty("difference", result.difference());
            } else {
                entry.add("difference", JsonNull.INSTANCE);
            }
            result.reason().ifPresent(reason -> entry.addProperty("reason", reason));
            cases.add(entry);
        }
        JsonObject report = new JsonObject();
        report.add("cases", cases);
        return new GsonBuilder().serializeNulls().setPrettyPrinting().create().toJson(report);
    }
}
