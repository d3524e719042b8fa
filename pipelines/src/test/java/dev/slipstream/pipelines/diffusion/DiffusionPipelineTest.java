package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The front door, with the sample model. */
@Timeout(120)
class DiffusionPipelineTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest STAR =
        ImageRequest.of("a large red star on a blue background").withSteps(6).withSeed(7);

    private static DiffusionPipeline open(String plan, String... devices) {
        return DiffusionPipeline.of(MODEL).devices(devices).plan(plan).open();
    }

    private static byte[] draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join().image().rgb();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"cfg-split | cpu:1,cpu:1", "sequential | cpu:1,cpu:1",
        "asyncdiff:warmup=6,cut=shell | cpu:1,cpu:1", "asyncdiff:warmup=6,cut=contiguous | cpu:1,cpu:1"})
    void exactPlansDrawTheSamePicture(String plan, String devices) {
        try (DiffusionPipeline alone = open("sequential", "cpu:1");
             DiffusionPipeline other = open(plan, devices.split(","))) {
            assertArrayEquals(draw(alone, STAR), draw(other, STAR));
        }
    }

    @Test
    void eachLoopsTimelineIsToldAndThePictureIsTheSame() {
        List<Timeline> told = new ArrayList<>();
        try (DiffusionPipeline plain = open("asyncdiff:warmup=1", "cpu:1", "cpu:1");
             DiffusionPipeline timed = DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=1")
                 .timelines(told::add).open()) {
            assertArrayEquals(draw(plain, STAR), draw(timed, STAR));
            draw(timed, STAR.withSteps(2));

            assertEquals(List.of(6, 2), told.stream().map(timeline ->
                1 + timeline.spans().stream().mapToInt(Timeline.Span::step).max().orElseThrow()).toList());
            assertEquals(timed.devices().stream().map(Device::name).toList(),
                List.of(told.getFirst().deviceName(0), told.getFirst().deviceName(1)));
            assertEquals("c1.0", told.getFirst().stage(0));
        }
    }

    @Test
    void theSeedDecidesWhateverWasDrawnBefore() {
        try (DiffusionPipeline pipeline = open("asyncdiff:warmup=1", "cpu:1", "cpu:1")) {
            byte[] first = draw(pipeline, STAR);
            byte[] other = draw(pipeline, STAR.withSeed(8));
            assertFalse(Arrays.equals(first, other), "another seed must show");
            assertArrayEquals(first, draw(pipeline, STAR));
        }
    }

    @Test
    void guidanceStepsAndNoiseSchedulersCanChangeFromRequestToRequest() {
        try (DiffusionPipeline pipeline = open("asyncdiff:warmup=2", "cpu:1", "cpu:1")) {
            byte[] first = draw(pipeline, STAR);
            for (ImageRequest request : List.of(STAR.withGuidance(1), STAR.withGuidanceRescale(0.7), STAR.withSteps(8),
                STAR.withScheduler("euler-ancestral"), STAR.withScheduler("dpm++2m"), STAR.withNegative("a circle"))) {
                assertFalse(Arrays.equals(first, draw(pipeline, request)), request.toString());
            }
            assertArrayEquals(first, draw(pipeline, STAR));
        }
    }

    @Test
    void rescalingGuidanceThatIsNotThereIsRefused() {
        try (DiffusionPipeline pipeline = open("sequential", "cpu:1")) {
            String message = assertThrows(RequestException.class,
                () -> pipeline.submit(STAR.withGuidance(1).withGuidanceRescale(0.7))).getMessage();
            assertTrue(message.contains("leave out the rescale, or take more guidance"), message);
        }
    }

    @Test
    void everyStepIsReported() throws Exception {
        try (DiffusionPipeline pipeline = open("sequential", "cpu:1")) {
            List<Integer> steps = new ArrayList<>();
            CountDownLatch previewed = new CountDownLatch(1);
            // The first request holds the pipeline's thread until the listener of the second is there.
            pipeline.submit(STAR);
            Generation generation = pipeline.submit(STAR.withPreviewEvery(3));
            var heard = generation.onProgress(progress -> {
                steps.add(progress.step());
                progress.preview().ifPresent(image -> previewed.countDown());
            });
            generation.result().join();
            heard.get(30, TimeUnit.SECONDS);
            assertEquals(List.of(1, 2, 3, 4, 5, 6), steps);
            assertTrue(previewed.await(30, TimeUnit.SECONDS), "step 3 has a preview");
        }
    }

    @Test
    void aCancelledRequestSaysSoAndTheNextOneWorks() {
        try (DiffusionPipeline pipeline = open("asyncdiff:warmup=1", "cpu:1", "cpu:1")) {
            byte[] expected = draw(pipeline, STAR);
            Generation generation = pipeline.submit(STAR.withSteps(500));
            generation.cancel();
            assertInstanceOf(CancellationException.class,
                assertThrows(Exception.class, () -> generation.result().get(60, TimeUnit.SECONDS)));
            assertArrayEquals(expected, draw(pipeline, STAR));
        }
    }

    @Test
    void aRequestThatFailsLeavesThePipelineUsable() {
        DeviceProvider cpu = Devices.discover().providers().stream().filter(it -> it.name().equals("cpu")).findFirst()
            .orElseThrow();
        FaultInjectingProvider provider = new FaultInjectingProvider(cpu);
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1")
                .plan("asyncdiff:warmup=1").providers(Devices.of(provider)).open()) {
            byte[] expected = draw(pipeline, STAR);
            for (int call = 5; call < 60; call += 18) {
                provider.faults().arm(call, Faults.Manner.WHEN_DONE);
                CompletionException failure = assertThrows(CompletionException.class, () -> draw(pipeline, STAR));
                assertInstanceOf(DeviceException.class, failure.getCause());
                provider.faults().disarm();
                assertArrayEquals(expected, draw(pipeline, STAR));
            }
        }
    }

    @Test
    void aPromptThatIsTooLongIsCutAndTheDraftSaysWhatIsLost() {
        try (DiffusionPipeline pipeline = open("sequential", "cpu:1")) {
            ImageRequest tooLong = STAR.withSteps(1).withNegative("a star ".repeat(20));
            String warning = pipeline.spec().warnings(tooLong).getFirst();
            assertTrue(warning.startsWith("prompt too long: ") && warning.contains("lost: \"a star"), warning);
            assertEquals(List.of(), pipeline.spec().warnings(STAR));
            ImageRequest cut = STAR.withSteps(1).withNegative("a star ".repeat(30));
            assertArrayEquals(draw(pipeline, tooLong), draw(pipeline, cut));
        }
    }

    @Test
    void warningsGoToTheLogUnlessSomeoneElseIsTold() {
        ImageRequest tooLong = ImageRequest.of("red ".repeat(90)).withSteps(1);
        List<String> logged = new ArrayList<>();
        Logger log = Logger.getLogger(DiffusionPipeline.class.getName());
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                logged.add(entry.getLevel() + " " + new SimpleFormatter().formatMessage(entry));
            }

            @Override
            public void flush() {
                // Nothing is kept back.
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
        log.addHandler(handler);
        List<String> told = new ArrayList<>();
        try (DiffusionPipeline logging = open("sequential", "cpu:1");
             DiffusionPipeline telling = DiffusionPipeline.of(MODEL).warnings(told::add).open()) {
            draw(telling, tooLong);
            assertEquals(List.of(), logged);
            assertEquals(telling.spec().warnings(tooLong), told);
            draw(logging, STAR.withSteps(1));
            draw(logging, tooLong);
            assertEquals(List.of("WARNING " + told.getFirst()), logged);
        } finally {
            log.removeHandler(handler);
        }
    }

    @Test
    void requestsThatWaitWhenThePipelineIsClosedAreCancelled() {
        DiffusionPipeline pipeline = open("sequential", "cpu:1");
        Generation running = pipeline.submit(STAR.withSteps(40));
        Generation waiting = pipeline.submit(STAR);
        pipeline.close();
        assertTrue(running.result().isDone() && waiting.result().isDone(), "close waits");
        assertThrows(CancellationException.class, () -> waiting.result().join());
        assertThrows(IllegalStateException.class, () -> pipeline.submit(STAR));
    }
}
