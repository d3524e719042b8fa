package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.pipelines.model.RandomModel;
import dev.slipstream.pipelines.model.RandomModel.Family;
import dev.slipstream.pipelines.plan.Sequential;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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
        return DiffusionPipeline.of(model).providers(Devices.of(provider));
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
        try (PipelineDraft draft = builder().draft()) {
            room = draft.memory(STAR).getFirst().totalBytes() * 5 / 2;
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
            provider.faults().pretend(new DeviceMemory(0, 1));
            CompletionException refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(STAR.withSize(16, 32)).result().join());
            assertInstanceOf(DeviceOutOfMemoryException.class, refused.getCause());
            assertTrue(devices.getFirst().liveObjects() < live, "engines of other sizes are freed first");
        }
    }

    @Test
    void whatIsBuiltForAKnownSizeIsCheckedAgainstMemory() {
        try (DiffusionPipeline pipeline = builder().open()) {
            built(pipeline, STAR);
            provider.faults().pretend(new DeviceMemory(10, 1000));
            CompletionException refused = assertThrows(CompletionException.class, () -> pipeline.submit(
                STAR.withSteps(4).withGiven(GivenImage.of(FamiliesTest.picture(16, 16)))).result().join());
            assertTrue(refused.getCause().getMessage().contains("encoder and decoder"), refused.toString());
            assertInstanceOf(DeviceOutOfMemoryException.class, refused.getCause());
        }
    }

    @Test
    void blueprintsOfManySizesStayWithinABound() {
        try (PipelineDraft draft = builder().draft()) {
            Blueprint first = draft.blueprint(STAR);
            BlueprintCache two = new BlueprintCache(first.heapBytes() * 5 / 2);
            LoopShape shape = draft.resolve(STAR).getFirst().shape();
            assertSame(first, two.get(shape, () -> first));
            for (int width = 16; width <= 64; width += 16) {
                ImageRequest request = STAR.withSize(width, 32);
                Blueprint drawn = draft.blueprint(request);
                assertSame(drawn, two.get(drawn.shape(), () -> drawn));
                assertTrue(two.size() <= 2, two.size() + " blueprints");
            }
            Blueprint again = Blueprint.draw(first.model(), shape, new Sequential(), 1);
            assertNotSame(first, two.get(shape, () -> again));
        }
    }
}
