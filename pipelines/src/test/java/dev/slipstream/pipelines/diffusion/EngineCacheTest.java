package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.bridge.Faults;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Engines are kept for requests of several sizes, as long as there is room. */
@Timeout(120)
class EngineCacheTest {
    private static final ImageRequest STAR = FamiliesTest.request(Family.STABLE_DIFFUSION).withSteps(1);
    /** A request of a size of its own builds a denoiser and a decoder; the first a text encoder, too. */
    private static final int FIRST = 3;
    private static final int OTHER = 2;

    @TempDir
    private static Path model;

    private final FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());

    @BeforeAll
    static void write() {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
    }

    private DiffusionPipeline.Builder builder() {
        return DiffusionPipeline.of(model).providers(Devices.of(provider)).devices("cpu:1");
    }

    /** Draws, and returns how many engines that has built. */
    private int built(DiffusionPipeline pipeline, ImageRequest request) {
        provider.faults().arm(0, EnumSet.of(Call.BUILD), Faults.Manner.THROWN);
        pipeline.submit(request).result().join();
        return provider.faults().callsSeen();
    }

    @Test
    void requestsOfSeveralSizesAndBatchesTakeTurnsWithoutBuildingAnew() {
        try (DiffusionPipeline pipeline = builder().open()) {
            List<ImageRequest> requests = List.of(STAR, STAR.withSize(32, 16), STAR.withBatch(2));
            byte[] first = pipeline.submit(STAR).result().join().image().rgb();
            assertEquals(OTHER, built(pipeline, requests.get(1)));
            // The decoder takes one picture after another.
            assertEquals(1, built(pipeline, requests.get(2)));
            for (int round = 0; round < 3; round++) {
                for (ImageRequest request : requests) {
                    assertEquals(0, built(pipeline, request), request.toString());
                }
            }
            assertArrayEquals(first, pipeline.submit(STAR).result().join().image().rgb());
        }
    }

    @Test
    void withoutMemoryForOthersOnlyWhatTheRequestNeedsIsKept() {
        try (DiffusionPipeline pipeline = builder().engineMemory(0).open()) {
            assertEquals(FIRST, built(pipeline, STAR));
            assertEquals(0, built(pipeline, STAR.withSeed(3)));
            assertEquals(OTHER, built(pipeline, STAR.withSize(32, 16)));
            assertEquals(OTHER, built(pipeline, STAR));
        }
        assertThrows(IllegalArgumentException.class, () -> builder().engineMemory(-1));
    }

    @Test
    void theSizeThatWasNotUsedForLongestGoesFirst() {
        long room;
        try (PipelineSpec spec = builder().spec()) {
            room = spec.memory(STAR).getFirst().totalBytes() * 5 / 2;
        }
        try (DiffusionPipeline pipeline = builder().engineMemory(room).open()) {
            ImageRequest second = STAR.withSize(16, 24);
            built(pipeline, STAR);
            built(pipeline, second);
            assertEquals(0, built(pipeline, STAR));
            assertEquals(OTHER, built(pipeline, STAR.withSize(24, 16)));
            assertEquals(0, built(pipeline, STAR));
            assertTrue(built(pipeline, second) > 0);
        }
    }

    @Test
    void enginesOfOtherSizesMakeRoomBeforeARequestIsRefused() {
        try (DiffusionPipeline pipeline = builder().open()) {
            built(pipeline, STAR);
            built(pipeline, STAR.withSize(32, 16));
            List<Device> devices = pipeline.devices();
            int live = devices.getFirst().liveObjects();
            provider.faults().pretend(new Device.Memory(0, 1));
            CompletionException refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(STAR.withSize(16, 32)).result().join());
            assertInstanceOf(DeviceOutOfMemoryException.class, refused.getCause());
            assertTrue(devices.getFirst().liveObjects() < live, "engines of other sizes are freed first");
        }
    }

    /** Work space of the denoiser and of the autoencoder at once is more than the larger of both. */
    @Test
    void whereThereIsNoRoomForRequestsToOverlapTheyComeOneAfterAnother() {
        long alone;
        byte[] expected;
        try (DiffusionPipeline pipeline = builder().plan("sequential").open()) {
            alone = pipeline.spec().memoryBytes(STAR).getFirst();
            expected = pipeline.submit(STAR).result().join().image().rgb();
        }
        List<Timeline> timelines = Collections.synchronizedList(new ArrayList<>());
        try (DiffusionPipeline pipeline =
            builder().plan("sequential").overlapped(true).timelines(timelines::add).open()) {
            assertTrue(pipeline.spec().memoryBytes(STAR).getFirst() > alone, "both at once take more than " + alone);
            provider.faults().pretend(new Device.Memory(alone, alone));
            List<Generation> all = Stream.of(1, 2, 3, 4).map(each -> pipeline.submit(STAR)).toList();
            all.forEach(it -> assertArrayEquals(expected, it.result().join().image().rgb()));
        }
        timelines.forEach(timeline -> assertTrue(timeline.spans().stream().map(timeline::name)
            .noneMatch(name -> name.equals("decode") || name.equals("encode")), timeline::toString));
        assertEquals(4, timelines.size());
    }

    /** What is lacking for the same sizes: engines of a component, or buffers alone. */
    static Stream<Arguments> furtherRequests() {
        GivenImage picture = GivenImage.of(FamiliesTest.picture(16, 16));
        return Stream.of(Arguments.of("picture encoder", STAR.withSteps(4).withGiven(picture)),
            Arguments.of("text encoder", STAR.withConditioning(Conditioning.DEFAULT.withClipSkip(1))),
            Arguments.of("buffers", STAR.withSteps(2)));
    }

    @ParameterizedTest
    @MethodSource("furtherRequests")
    void allThatIsBuiltForAKnownSizeIsCheckedAgainstMemory(String lacking, ImageRequest request) {
        try (DiffusionPipeline pipeline = builder().engineMemory(Long.MAX_VALUE / 2).open()) {
            built(pipeline, STAR);
            provider.faults().pretend(new Device.Memory(10, 1000));
            CompletionException refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(request).result().join());
            assertInstanceOf(DeviceOutOfMemoryException.class, refused.getCause(), lacking);
        }
    }

    @Test
    void enginesOfManySizesStayWithinABoundOfTheHeap() {
        try (PipelineSpec spec = builder().spec(); Device cpu = Devices.discover().open(List.of(
                DeviceSpec.parse("cpu:1"))).getFirst()) {
            long one;
            try (EngineCache engines = engines(cpu, Long.MAX_VALUE)) {
                engines.build(keys(spec, STAR), EngineCacheTest::goOn);
                one = engines.keptHeapBytes();
            }
            assertTrue(one > 0);
            try (EngineCache engines = engines(cpu, 2 * one)) {
                for (int width = 16; width <= 96; width += 16) {
                    engines.build(keys(spec, STAR.withSize(width, 16)), EngineCacheTest::goOn);
                    assertTrue(engines.keptHeapBytes() <= 2 * one, engines.keptHeapBytes() + " of " + 2 * one);
                }
            }
        }
    }

    @Test
    void anErrorWhileEnginesAreBuiltLeavesNothingAndTheNextRequestWorks() {
        try (PipelineSpec spec = builder().spec(); Device cpu = Devices.discover().open(List.of(
                DeviceSpec.parse("cpu:1"))).getFirst(); EngineCache engines = engines(cpu, Long.MAX_VALUE)) {
            int before = cpu.liveObjects();
            for (int call = 1; call <= FIRST; call++) {
                AtomicInteger left = new AtomicInteger(call);
                LinkageError error = assertThrows(LinkageError.class, () -> engines.build(keys(spec, STAR), () -> {
                    // The first call is before all engines.
                    if (left.getAndDecrement() == 0) {
                        throw new LinkageError("no such library");
                    }
                }));
                assertEquals("no such library", error.getMessage());
                assertEquals(before, cpu.liveObjects());
                assertEquals(0, engines.keptBytes());
            }
            assertEquals(1, engines.build(keys(spec, STAR), EngineCacheTest::goOn).size());
        }
    }

    private static EngineCache engines(Device device, long mostHeapBytes) {
        return new EngineCache(List.of(device), LoopOptions.DEFAULT, OptionalLong.empty(), mostHeapBytes);
    }

    private static List<RequestKeys> keys(PipelineSpec spec, ImageRequest request) {
        return spec.resolve(request).stream().map(ResolvedRequest::keys).toList();
    }

    private static void goOn() {
    }
}
