package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceMemory;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that do not fit are refused with the figures, before anything is built. */
@Timeout(120)
class MemoryNeedTest {
    private static final ImageRequest STAR = ImageRequest.of("a large red star on a blue background").withSteps(3);

    private final FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());

    private DiffusionPipeline open() {
        return DiffusionPipeline.of(Path.of("..", "samples", "model")).providers(Devices.of(provider))
            .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=1").open();
    }

    @Test
    void everyDeviceHoldsItsSegmentsAndTheFirstTheOtherComponents() {
        try (DiffusionPipeline pipeline = open()) {
            List<MemoryNeed> needs = pipeline.draft().memory(STAR);
            Blueprint blueprint = pipeline.draft().blueprint(STAR);
            assertEquals(2, needs.size());
            for (int device = 0; device < 2; device++) {
                MemoryNeed need = needs.get(device);
                assertEquals(blueprint.weightBytes(device), need.weightBytes());
                assertEquals(pipeline.draft().program(STAR).bufferBytes(device), need.bufferBytes());
                assertTrue(need.workBytes() > 0, need.toString());
            }
            assertTrue(needs.get(0).componentBytes() > 0);
            assertEquals(0, needs.get(1).componentBytes());
        }
    }

    @Test
    void aRequestThatDoesNotFitIsRefusedBeforeAnythingIsBuilt() {
        try (DiffusionPipeline pipeline = open()) {
            provider.faults().pretend(new DeviceMemory(1_000_000, 8_000_000));
            provider.faults().arm(0, EnumSet.of(Call.BUILD, Call.ALLOCATE), Faults.Manner.THROWN);
            Throwable refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(STAR).result().join()).getCause();
            String message = assertInstanceOf(DeviceOutOfMemoryException.class, refused).getMessage();
            assertTrue(message.matches("the request does not fit: cpu:0 needs about \\S+ MB \\(weights \\S+ MB, "
                + "encoder and decoder \\S+ MB, buffers \\S+ MB, work space \\S+ MB\\) and has 1.0 MB free of 8.0 MB, "
                + "cpu:1 needs about .*; take more devices, .*"), message);
            assertFalse(message.contains("\n"));
            assertEquals(0, provider.faults().callsSeen(), "builds and allocations");
            provider.faults().pretend(new DeviceMemory(1L << 40, 1L << 40));
            assertEquals(32, pipeline.submit(STAR).result().join().image().width());
        }
    }

    @Test
    void justEnoughIsEnough() {
        try (DiffusionPipeline pipeline = open()) {
            long most = pipeline.draft().memory(STAR).stream().mapToLong(MemoryNeed::totalBytes).max().orElseThrow();
            provider.faults().pretend(new DeviceMemory(most - 1, most));
            assertThrows(CompletionException.class, () -> pipeline.submit(STAR).result().join());
            provider.faults().pretend(new DeviceMemory(most, most));
            pipeline.submit(STAR).result().join();
        }
    }
}
