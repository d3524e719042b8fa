package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import java.util.ArrayList;
import java.util.List;

/** The steps of a normalizer or pre-tokenizer, without the sequences that they are written in. */
final class Steps {
    /** Real files have up to five; each takes time for every character. */
    private static final int MOST = 32;

    private Steps() {
    }

    /**
     * @param key of the list of a sequence
     * @throws dev.slipstream.pipelines.model.ModelException if there are too many
     */
    static List<ConfigFile> flatten(ConfigFile step, String key) {
        List<ConfigFile> steps = new ArrayList<>();
        collect(step, key, steps);
        return steps;
    }

    private static void collect(ConfigFile step, String key, List<ConfigFile> steps) {
        if (step.text("type").filter("Sequence"::equals).isPresent()) {
            step.objects(key).forEach(inner -> collect(inner, key, steps));
        } else if (steps.size() < MOST) {
            steps.add(step);
        } else {
            throw step.wrong(key, "has more than " + MOST + " steps");
        }
    }
}
