package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.LatentTrial;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.Generation;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.calibration.LatentEvidence;
import dev.slipstream.pipelines.diffusion.calibration.LatentEvidence.Pair;
import dev.slipstream.pipelines.diffusion.calibration.Likeness;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.samples.latents.PromptGroups.Group;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Interruption;
import dev.slipstream.samples.terminal.ProgressDisplay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Draws all prompts whole, and then each from the latents of those that say the same or nearly. Both have the same
 * seed, so that what is measured is the harm of other words and not another noise.
 */
final class LatentTrials {
    /** More words than this are another picture. */
    private static final int MOST_EXTRA_WORDS = 2;

    private final LatentTrial latents;
    private final PromptGroups groups;
    private final int seeds;
    private final Function<String, ImageRequest> requests;
    private final Map<Drawn, Image> whole = new HashMap<>();

    private record Drawn(String prompt, long seed) {
    }

    /** @param words that one of them has beyond the other */
    private record Couple(Drawn source, Drawn target, int words) {
    }

    LatentTrials(LatentTrial latents, PromptGroups groups, int seeds, Function<String, ImageRequest> requests) {
        this.latents = latents;
        this.groups = groups;
        this.seeds = seeds;
        this.requests = requests;
    }

    /** @param pipelines opens them with the latents */
    LatentEvidence run(Supplier<DiffusionPipeline> pipelines, Interruption interruption, ProgressDisplay display) {
        List<Couple> couples = couples();
        int all = groups.prompts() * seeds;
        // When a pipeline is closed all that it kept is there.
        try (DiffusionPipeline pipeline = pipelines.get()) {
            display.begin("whole pictures");
            for (Group group : groups.groups()) {
                for (String prompt : group.prompts()) {
                    for (long seed = 0; seed < seeds; seed++) {
                        Drawn drawn = new Drawn(prompt, seed);
                        whole.put(drawn, draw(pipeline, drawn, CacheUse.WRITE, interruption).image());
                        display.show(whole.size(), all);
                    }
                }
            }
        }
        Drawn any = couples.getFirst().source;
        List<Integer> steps = latents.steps(any.prompt, any.seed);
        if (steps.isEmpty()) {
            throw new InputException("none of the latents can be kept: only models that draw single pictures of a text "
                + "keep them, and only numbers that fp16 has; take another model");
        }
        List<Pair> pairs = new ArrayList<>();
        try (DiffusionPipeline pipeline = pipelines.get()) {
            display.begin("pictures that go on");
            for (int step : steps) {
                for (Couple couple : couples) {
                    latents.serve(couple.source.prompt, couple.source.seed, step);
                    GeneratedImage drawn = draw(pipeline, couple.target, CacheUse.READ, interruption);
                    double tenths = Math.rint(10.0 * step / drawn.request().steps().orElseThrow());
                    pairs.add(new Pair(couple.words, tenths / 10, drawn.cache().source().orElseThrow().score(),
                        Likeness.of(whole.get(couple.target), drawn.image())));
                    display.show(pairs.size(), couples.size() * steps.size());
                }
            }
        }
        return new LatentEvidence(pairs);
    }

    private List<Couple> couples() {
        List<Couple> couples = new ArrayList<>();
        for (Group group : groups.groups()) {
            List<Couple> its = group.prompts().stream().flatMap(source -> group.prompts().stream()
                .filter(target -> !source.equals(target)).flatMap(target -> couples(source, target))).toList();
            if (its.isEmpty()) {
                throw new InputException("the group at " + group.place() + " has no two prompts that say the same with "
                    + "at most " + MOST_EXTRA_WORDS + " words more: things in the same order, each described by the "
                    + "same words; write such ones, or leave the group out");
            }
            couples.addAll(its);
        }
        return couples;
    }

    private Stream<Couple> couples(String source, String target) {
        OptionalInt words = latents.extraWords(source, target);
        return words.isEmpty() || words.getAsInt() > MOST_EXTRA_WORDS ? Stream.empty()
            : LongStream.range(0, seeds).mapToObj(seed ->
                new Couple(new Drawn(source, seed), new Drawn(target, seed), words.getAsInt()));
    }

    private GeneratedImage draw(DiffusionPipeline pipeline, Drawn drawn, CacheUse use, Interruption interruption) {
        Generation generation = pipeline.submit(requests.apply(drawn.prompt).withSeed(drawn.seed).withCache(use));
        interruption.stops(generation::cancel);
        return generation.result().join();
    }
}
