package dev.slipstream.samples.world;

import dev.slipstream.pipelines.cache.CachedEntry;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.StepCosts;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds.Measured;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport.Source;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.samples.world.Scene.Place;
import dev.slipstream.samples.world.Scene.Size;
import dev.slipstream.samples.world.Traffic.Ask;
import dev.slipstream.samples.world.Traffic.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Draws {@link Traffic} with a cache of latents that is empty in the beginning, and what it served once more without:
 * {@code TrafficRun MODEL PLAN NUMBER UNKNOWN [REQUESTS [STEPS]]}. Says how many steps were saved, and how many
 * pictures show what was asked for with the cache and without. The figures in docs/cache.md are its.
 */
final class TrafficRun {
    /** Words of the captions that the model was trained with. */
    private static final Set<String> KNOWN = Stream.concat(Stream.of("a", "the", "on", "at", "background"),
        Stream.<Enum<?>[]>of(Size.values(), Color.values(), Shape.values(), Place.values()).flatMap(Arrays::stream)
            .map(Scene::word)).collect(Collectors.toSet());

    private static final Measured HOW = new Measured("ddim", 25, 4, 104, 0);

    private final Recognizer recognizer = new Recognizer();
    private final List<Drawn> all = new ArrayList<>();
    private StepCosts costs = StepCosts.ofExact(1);

    /**
     * A request that was drawn.
     *
     * @param source what was asked for where it went on from, if it did
     * @param step that it went on from, or 0
     * @param score of the two
     * @param cached whether the picture shows what was asked for
     * @param whole whether that of all steps does
     * @param millis of the loop
     * @param wholeMillis of the loop of all steps
     */
    record Drawn(Ask ask, Optional<Ask> source, int step, double score, boolean cached, boolean whole, double millis,
        double wholeMillis) {
    }

    /**
     * @param model a folder that tells how much alike prompts must be
     * @param plan of one device if it is sequential, else of two
     */
    static TrafficRun of(Path model, Path latents, String plan, List<Ask> asks, int steps) {
        TrafficRun run = new TrafficRun();
        String[] devices = plan.equals("sequential") ? new String[] {"cpu:1"} : new String[] {"cpu:1", "cpu:1"};
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices).plan(plan)
                .latentCache(latents, LatentCache.DEFAULT_MAX_BYTES).open();
             LatentCache cache = new LatentCache(latents, LatentCache.DEFAULT_MAX_BYTES)) {
            run.draw(pipeline, cache, asks, steps);
        }
        return run;
    }

    private void draw(DiffusionPipeline pipeline, LatentCache cache, List<Ask> asks, int steps) {
        Map<String, Ask> kept = new HashMap<>();
        for (Ask ask : asks) {
            ImageRequest request = ImageRequest.of(ask.prompt()).withSteps(steps).withSeed(ask.seed());
            GeneratedImage drawn = draw(pipeline, request.withCache(CacheUse.USE));
            Optional<Source> source = drawn.cache().source();
            if (source.isEmpty() && knows(ask.prompt())) {
                kept.put(written(cache, kept.keySet()), ask);
            }
            GeneratedImage whole = source.isEmpty() ? drawn : draw(pipeline, request);
            all.add(new Drawn(ask, source.map(it -> kept.get(it.entry())), source.map(Source::step).orElse(0),
                source.map(Source::score).orElse(0.0), shows(drawn, ask), shows(whole, ask), millis(drawn),
                millis(whole)));
            costs = costs(drawn.plan(), steps);
        }
    }

    /**
     * A copy of the sample model with thresholds, which were chosen by another number of traffic: below 0.85 what was
     * told in another order goes on from pictures of the other order, which the model was not trained with.
     */
    static Path measured(Path model, Path copy) throws IOException {
        try (Stream<Path> files = Files.walk(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(model.relativize(file).toString()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(copy).devices("cpu:1").plan("sequential").open()) {
            LatentThresholds.write(LatentThresholds.beside(copy), "sample", pipeline.spec()
                .unwrap(ImageRequest.of("star"), PartitionedDenoiser.class).denoiser(),
                new Thresholds(List.of(new Level(0.85, 0, 0.5), new Level(0.6, 0, 0.2))), HOW);
        }
        return copy;
    }

    private static boolean knows(String prompt) {
        return KNOWN.containsAll(List.of(prompt.split(" ")));
    }

    private static GeneratedImage draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join();
    }

    /** The one that another thread writes after a request, so that each finds what those before it have left. */
    private static String written(LatentCache cache, Set<String> known) {
        while (true) {
            Optional<String> made = cache.list().stream().map(CachedEntry::id).filter(id -> !known.contains(id))
                .findFirst();
            if (made.isPresent()) {
                return made.get();
            }
            Thread.onSpinWait();
        }
    }

    private boolean shows(GeneratedImage drawn, Ask ask) {
        return recognizer.recognize(drawn.image()).equals(ask.scene());
    }

    private static StepCosts costs(Plan plan, int steps) {
        return plan.cadence().window(steps) == 0 ? StepCosts.ofExact(steps)
            : new StepCosts(steps, plan.cadence().warmUp(), plan.cadence().tail(), 1, 1.0 / plan.devices(), 0);
    }

    private static double millis(GeneratedImage drawn) {
        return drawn.loopTime().toNanos() / 1e6;
    }

    /** Hits whose source shows another scene than was asked for. */
    List<Drawn> wrongHits() {
        return all.stream().filter(it -> it.source.isPresent() && !it.source.get().scene().equals(it.ask.scene()))
            .toList();
    }

    /** The part of all steps' costs that was saved; what runs on both devices at once costs half. */
    double saved() {
        return all.stream().mapToDouble(it -> costs.from(0) - costs.from(it.step)).sum()
            / (all.size() * costs.from(0));
    }

    /** How many pictures more show what was asked for than would without the cache. */
    int gained() {
        return count(Drawn::cached) - count(Drawn::whole);
    }

    int count(Predicate<Drawn> wanted) {
        return (int) all.stream().filter(wanted).count();
    }

    /** A table. */
    @Override
    public String toString() {
        StringBuilder table =
            new StringBuilder("what              requests   hits  right with  without  lost  gained\n");
        for (Kind kind : Kind.values()) {
            table.append(row(kind.name(), it -> it.ask.kind() == kind));
        }
        return table.append(row("words it knows", it -> knows(it.ask.prompt()))).append(row("all", it -> true))
            .append("%d hits of another scene; saved: %.1f %% of the steps' costs, %.1f %% of the loops' time%n"
                .formatted(wrongHits().size(), 100 * saved(), 100 * (1 - sum(Drawn::millis) / sum(Drawn::wholeMillis))))
            .toString();
    }

    private double sum(ToDoubleFunction<Drawn> time) {
        return all.stream().mapToDouble(time).sum();
    }

    private String row(String what, Predicate<Drawn> wanted) {
        return "%-17s %8d %6d %11d %8d %5d %7d%n".formatted(what, count(wanted),
            count(wanted.and(it -> it.source.isPresent())), count(wanted.and(Drawn::cached)),
            count(wanted.and(Drawn::whole)), count(wanted.and(it -> it.whole && !it.cached)),
            count(wanted.and(it -> it.cached && !it.whole)));
    }

    public static void main(String[] args) throws IOException {
        int requests = args.length > 4 ? Integer.parseInt(args[4]) : 400;
        int steps = args.length > 5 ? Integer.parseInt(args[5]) : 50;
        Traffic traffic = new Traffic(Long.parseLong(args[2]), Integer.parseInt(args[3]));
        Path latents = Files.createTempDirectory("traffic");
        System.out.print(of(measured(Path.of(args[0]), Files.createTempDirectory("model")), latents, args[1],
            traffic.asks(requests), steps));
    }
}
