package dev.slipstream.samples.verify;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.run.NoiseTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Compares what {@code cases.json} says of a noise scheduler with the table that was worked out here. */
final class PublishedTimesteps {
    /** Timesteps are numbers up to a thousand in fp32. */
    private static final double TIMESTEP_TOLERANCE = 1e-3;
    private static final double SIGMA_TOLERANCE = 1e-5;

    private PublishedTimesteps() {
    }

    /** @return one sentence a difference */
    static List<String> differences(ConfigFile said, NoiseTable table, String scheduler) {
        List<String> found = new ArrayList<>();
        List<JsonElement> timesteps = said.list("timesteps");
        if (!timesteps.isEmpty() && timesteps.size() != table.steps()) {
            found.add("scheduler " + scheduler + ": cases.json has " + timesteps.size() + " timesteps, the table "
                + table.steps());
        } else {
            for (int step = 0; step < timesteps.size(); step++) {
                double wanted = number(said, timesteps.get(step));
                double here = table.rows().get(step).timestep();
                if (!(Math.abs(wanted - here) <= TIMESTEP_TOLERANCE)) {
                    found.add(sentence(scheduler, "timestep " + (step + 1), wanted, here));
                }
            }
        }
        double sigma = said.number("init_noise_sigma", table.initialScale());
        if (!(Math.abs(sigma - table.initialScale()) <= SIGMA_TOLERANCE * Math.abs(sigma))) {
            found.add(sentence(scheduler, "init_noise_sigma", sigma, table.initialScale()));
        }
        return found;
    }

    private static double number(ConfigFile said, JsonElement element) {
        if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
            return element.getAsDouble();
        }
        throw said.wrong("timesteps", "must be a list of numbers, but has " + element);
    }

    private static String sentence(String scheduler, String what, double said, double here) {
        return String.format(Locale.ROOT, "scheduler %s: %s is %s in cases.json, %s here", scheduler, what, said, here);
    }
}
