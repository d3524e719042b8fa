package dev.slipstream.samples.bench;

import dev.slipstream.samples.terminal.Table;
import java.util.List;

/**
 * What a step of a model takes on one way. Its components, in snake case, are the keys of the JSON form.
 *
 * @param stepMs median over the rounds of the time of all steps by their number; likewise the least and the most
 * @param hostUs median host time to queue a step, without waits
 * @param ratio of {@code stepMs} to the first row's of the same model
 */
record StepRow(String model, String precision, String device, String way, int steps, double stepMs, double stepMinMs,
    double stepMaxMs, double hostUs, double ratio) {

    static StepRow of(StepBenchmark.Model model, String device, StepRuns runs, Spread millis, Spread hostMicros,
        double firstMillis) {
        return new StepRow(model.name(), model.precision().toString(), device, runs.way(), runs.steps(),
            millis.median(), millis.least(), millis.most(), hostMicros.median(), millis.median() / firstMillis);
    }

    static String table(List<StepRow> rows) {
        Table table = new Table().left("model").left("precision").left("way").right("ms a step").right("range")
            .right("ratio").right("host us");
        rows.forEach(row -> table.row(row.model(), row.precision(), row.way(), Table.number("%.3f", row.stepMs()),
            Table.number("%.3f", row.stepMinMs()) + "-" + Table.number("%.3f", row.stepMaxMs()),
            Table.number("%.2f", row.ratio()), Table.number("%.1f", row.hostUs())));
        return table.toString();
    }
}
