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
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Draws all prompts whole, and then each from the latents of those that say the same or nearly. Both have the same
 * seed, so that what is measured is the harm of other words and not another noise.
 */
final class LatentTrials {
    /** More words than this are another picture. */
    private static final int MOST_EXTRA_WORDS = 2;
    /** What of the steps is left out onto finished pictures, at most as published: with more all seeds look alike. */
    private static final List<Integer> FINISHED_TENTHS = List.of(4, 5, 6);

    private final LatentTrial latents;
    private final PromptGroups groups;
    private final int seeds;
    private final Function<String, ImageRequest> requests;
    private final Map<Drawn, Image> whole = new HashMap<>();
    private int allSteps;
    private int compared;

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

    /** What was measured of going on from latents of the midst, and with finished ones. */
    record Found(LatentEvidence midst, LatentEvidence finished) {
    }

    /** @param pipelines opens them with the latents */
    Found run(Supplier<DiffusionPipeline> pipelines, Interruption interruption, ProgressDisplay display) {
        List<Couple> couples = couples();
        // When a pipeline is closed all that it kept is there.
        try (DiffusionPipeline pipeline = pipelines.get()) {
            display.begin("whole pictures");
            drawWhole(drawn -> draw(pipeline, drawn, CacheUse.WRITE.withPictures(), interruption), display);
        }
        if (couples.stream().anyMatch(couple -> steps(couple).isEmpty())) {
            throw new InputException("the latents cannot be kept: only models that draw single pictures of a text keep "
                + "them, and only numbers that fp16 has; take another model");
        }
        List<Integer> midst = steps(couples.getFirst());
        List<Integer> late = FINISHED_TENTHS.stream().map(tenth -> tenth * allSteps / 10)
            .filter(step -> step > 0).distinct().toList();
        try (DiffusionPipeline pipeline = pipelines.get()) {
            display.begin("pictures that go on");
            int all = couples.size() * (midst.size() + late.size());
            UnaryOperator<Pair> shown = pair -> {
                display.show(++compared, all);
                return pair;
            };
            Function<Drawn, GeneratedImage> draws = drawn -> draw(pipeline, drawn, CacheUse.READ, interruption);
            return new Found(new LatentEvidence(goOn(couples, midst, latents::serve, draws).map(shown).toList()),
                new LatentEvidence(goOn(couples, late, latents::serveFinished, draws).map(shown).toList()));
        }
    }

    /** Says whose latents serve next, and from which step. */
    private interface Serving {
        void serve(String prompt, long seed, int step);
    }

    private Stream<Pair> goOn(List<Couple> couples, List<Integer> steps, Serving serving,
        Function<Drawn, GeneratedImage> draws) {
        // Step after step, as a loop is made ready for each.
        return steps.stream().flatMap(step -> couples.stream().map(couple -> {
            serving.serve(couple.source.prompt, couple.source.seed, step);
            GeneratedImage drawn = draws.apply(couple.target);
            return new Pair(couple.words, Math.ceilDiv(10 * step, allSteps) / 10.0,
                drawn.cache().source().orElseThrow().score(), Likeness.of(whole.get(couple.target), drawn.image()));
        }));
    }

    private List<Integer> steps(Couple couple) {
        return latents.steps(couple.source.prompt, couple.source.seed);
    }

    private void drawWhole(Function<Drawn, GeneratedImage> draws, ProgressDisplay display) {
        List<Drawn> all = groups.groups().stream().flatMap(group -> group.prompts().stream())
            .flatMap(prompt -> LongStream.range(0, seeds).mapToObj(seed -> new Drawn(prompt, seed))).toList();
        for (Drawn drawn : all) {
            GeneratedImage picture = draws.apply(drawn);
            allSteps = picture.request().steps().orElseThrow();
            whole.put(drawn, picture.image());
            display.show(whole.size(), all.size());
        }
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
