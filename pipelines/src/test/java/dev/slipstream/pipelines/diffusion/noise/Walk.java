package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;

/** Follows a noise table with latents of one element, as a program does with many. */
final class Walk {
    /** What the denoiser and the noise would be in a step. */
    interface Denoiser {
        double predict(int step, Row row, double latent);
    }

    private Walk() {
    }

    /** The latents before the first and after every step. */
    static List<Double> follow(NoiseTable table, double first, Denoiser denoiser, double... noise) {
        List<Double> latents = new ArrayList<>(List.of(first));
        List<Double> history = new ArrayList<>();
        for (int step = 0; step < table.steps(); step++) {
            Row row = table.rows().get(step);
            double latent = latents.get(step);
            double prediction = denoiser.predict(step, row, latent);
            double next = row.next().latent() * latent + row.next().prediction() * prediction;
            for (int k = 0; k < row.next().past().size(); k++) {
                next += row.next().past().get(k) * history.get(step - 1 - k);
            }
            if (row.next().noise() != 0) {
                next += row.next().noise() * noise[step];
            }
            latents.add(next);
            history.add(row.history().latent() * latent + row.history().prediction() * prediction);
        }
        return latents;
    }
}
