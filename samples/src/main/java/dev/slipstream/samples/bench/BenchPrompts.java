package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.samples.InputException;
import java.util.ArrayList;
import java.util.List;

/** What every plan draws. */
final class BenchPrompts {
    private static final List<String> PROMPTS = List.of(
        "a large red star on a blue background",
        "a small green circle at the left on a white background",
        "a large yellow heart at the center on a purple background",
        "a small blue square at the top on an orange background",
        "a large cyan ring at the right on a black background",
        "a small pink triangle at the bottom on a gray background",
        "a large white cross on a green background",
        "a small orange diamond at the center on a cyan background");

    private BenchPrompts() {
    }

    static int most() {
        return PROMPTS.size();
    }

    /** Requests with seeds from 0: first every prompt with the first seed, so that a row of pictures shows all. */
    static List<ImageRequest> requests(int prompts, int seeds, int steps, double guidance) {
        if (prompts < 1 || prompts > PROMPTS.size()) {
            throw new InputException("--prompts takes 1 to " + PROMPTS.size() + ", not " + prompts
                + "; more pictures come with more --seeds");
        }
        if (seeds < 1) {
            throw new InputException("--seeds takes 1 or more, not " + seeds + "; leave it out for 2");
        }
        List<ImageRequest> requests = new ArrayList<>();
        for (int seed = 0; seed < seeds; seed++) {
            for (String prompt : PROMPTS.subList(0, prompts)) {
                requests.add(ImageRequest.of(prompt).withSteps(steps).withGuidance(guidance).withSeed(seed));
            }
        }
        return requests;
    }
}
