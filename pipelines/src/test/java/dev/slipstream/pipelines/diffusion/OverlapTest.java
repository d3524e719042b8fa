package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.stream.MalformedJsonException;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.TimelineFormat;
import dev.slipstream.pipelines.run.timeline.TraceRules;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests of which one is denoised while others are encoded and decoded. */
@Timeout(300)
class OverlapTest {
    private static final int REQUESTS = 12;
    private static final int MOST_ROUNDS = 50;

    @TempDir
    private Path model;


    private static ImageRequest request(SplittableRandom random) {
        return ImageRequest.of(random.nextBoolean() ? "red" : "blue star").withSteps(2 + random.nextInt(4))
            .withSeed(random.nextInt(100)).withSize(16 + 8 * random.nextInt(2), 16).withBatch(1 + random.nextInt(2))
            .withPreviewEvery(random.nextInt(3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:warmup=1,stride=2,form=reuse", "cache:every=2"})
    void picturesAreThoseOfRequestsOneAfterAnotherWhateverIsCancelled(String plan) {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        SplittableRandom random = new SplittableRandom(plan.hashCode());
        String devices = plan.startsWith("cache") ? "cpu:1" : "cpu:1,cpu:1";
        Map<ImageRequest, List<GeneratedImage>> alone = new HashMap<>();
        List<ImageRequest> requests = IntStream.range(0, REQUESTS).mapToObj(i -> request(random)).toList();
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices.split(",")).plan(plan).open()) {
            requests.forEach(request -> alone.computeIfAbsent(request, it -> pipeline.submit(it).results().join()));
        }
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices.split(",")).plan(plan)
            .overlapped(true).open()) {
            for (int round = 0; round < 2; round++) {
                List<Generation> generations = new ArrayList<>();
                List<Boolean> cancelled = new ArrayList<>();
                for (ImageRequest request : requests) {
                    generations.add(pipeline.submit(request));
                    cancelled.add(round > 0 && random.nextInt(4) == 0);
                    if (cancelled.getLast()) {
                        for (int spins = random.nextInt(1 << 18); spins > 0; spins--) {
                            Thread.onSpinWait();
                        }
                        generations.getLast().cancel();
                    }
                }
                for (int i = 0; i < REQUESTS; i++) {
                    Generation generation = generations.get(i);
                    if (cancelled.get(i)) {
                        try {
                            generation.results().join();
                        } catch (CancellationException asWished) {
                            continue;
                        }
                    }
                    List<GeneratedImage> expected = alone.get(requests.get(i));
                    List<GeneratedImage> drawn = generation.results().join();
                    for (int picture = 0; picture < expected.size(); picture++) {
                        assertArrayEquals(expected.get(picture).image().rgb(), drawn.get(picture).image().rgb());
                    }
                }
            }
        }
    }

    @Test
    void aTimelineShowsWhatIsDoneForOtherRequestsOnOneDevice() throws MalformedJsonException {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        List<Timeline> timelines = Collections.synchronizedList(new ArrayList<>());
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices("cpu:1", "cpu:1")
            .plan("asyncdiff:warmup=1").overlapped(true).timelines(timelines::add).open()) {
            ImageRequest request = ImageRequest.of("red").withSteps(6).withSeed(1);
            pipeline.submit(request).result().join();
            // On a busy machine a picture may be decoded just between two loops, and not beside one.
            for (int round = 0; round < MOST_ROUNDS && beside(timelines).size() < 2; round++) {
                List<Generation> all = IntStream.range(0, 6).mapToObj(i -> pipeline.submit(request)).toList();
                all.forEach(it -> it.result().join());
            }
        }
        assertEquals(List.of("decode", "encode"), beside(timelines));
        for (Timeline timeline : timelines) {
            TraceRules.check(TimelineFormat.CHROME_TRACE.text(Map.of("", timeline)));
            List<Integer> devices = timeline.spans().stream().filter(span -> isBeside(timeline, span))
                .map(span -> timeline.lanes().get(span.lane()).device()).distinct().toList();
            assertTrue(devices.size() <= 1, devices::toString);
        }
    }

    private static List<String> beside(List<Timeline> timelines) {
        return List.copyOf(timelines).stream().flatMap(timeline -> timeline.spans().stream()
            .filter(span -> isBeside(timeline, span)).map(timeline::name)).distinct().sorted().toList();
    }

    private static boolean isBeside(Timeline timeline, Span span) {
        return List.of("decode", "encode").contains(timeline.name(span));
    }

    @Test
    void whatFailsForOneFailsForNoOther() {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        List<Timeline> seen = Collections.synchronizedList(new ArrayList<>());
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices("cpu:1", "cpu:1").plan("cfg-split")
            .overlapped(true).timelines(timeline -> {
                seen.add(timeline);
                if (seen.size() % 2 == 0) {
                    throw new UnsupportedOperationException("a listener that fails");
                }
            }).open()) {
            ImageRequest request = ImageRequest.of("red").withSteps(3).withSeed(1);
            List<Generation> all = IntStream.range(0, 6).mapToObj(i -> pipeline.submit(request)).toList();
            for (int i = 0; i < all.size(); i++) {
                Generation generation = all.get(i);
                if (i % 2 == 0) {
                    generation.result().join();
                } else {
                    assertEquals("a listener that fails", assertThrows(RuntimeException.class,
                        () -> generation.result().join()).getCause().getMessage());
                }
            }
        }
    }
}
