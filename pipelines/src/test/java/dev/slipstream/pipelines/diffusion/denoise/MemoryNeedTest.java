package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.run.program.Program;
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
            List<MemoryNeed> needs = List.of(pipeline.spec().unwrap(STAR, MemoryNeed[].class));
            PartitionedDenoiser partitioned = pipeline.spec().unwrap(STAR, PartitionedDenoiser.class);
            assertEquals(2, needs.size());
            for (int device = 0; device < 2; device++) {
                MemoryNeed need = needs.get(device);
                // The model has halves, and the device computes in float32.
                assertTrue(need.weightBytes() > 1.9 * partitioned.weightBytes(device), need.toString());
                assertEquals(partitioned.weightBytes(device, List.of(DeviceForm.ONNX_RUNTIME,
                    DeviceForm.ONNX_RUNTIME)), need.weightBytes());
                long copying = pipeline.spec().unwrap(STAR, Program.class).bufferBytes(device);
                assertTrue(need.bufferBytes() > copying / 2 && need.bufferBytes() <= copying,
                    need + ", not more than the " + copying + " bytes of devices that copy");
                assertTrue(need.workBytes() > 0, need.toString());
            }
            assertTrue(needs.get(0).componentBytes() > 0);
            assertEquals(0, needs.get(1).componentBytes());
        }
    }

    @Test
    void aRequestThatDoesNotFitIsRefusedBeforeAnythingIsBuilt() {
        try (DiffusionPipeline pipeline = open()) {
            provider.faults().pretend(new Device.Memory(1_000_000, 8_000_000));
            provider.faults().arm(0, EnumSet.of(Call.BUILD, Call.ALLOCATE), Faults.Manner.THROWN);
            Throwable refused = assertThrows(CompletionException.class,
                () -> pipeline.submit(STAR).result().join()).getCause();
            String message = assertInstanceOf(DeviceOutOfMemoryException.class, refused).getMessage();
            assertTrue(message.matches("the request does not fit: cpu:0 needs about \\S+ MB \\(weights \\S+ MB, "
                + "encoder and decoder \\S+ MB, buffers \\S+ MB, work space \\S+ MB\\) and has 1.0 MB free of 8.0 MB, "
                + "cpu:1 needs about .*; take more devices, .*"), message);
            assertFalse(message.contains("\n"));
            assertEquals(0, provider.faults().callsSeen(), "builds and allocations");
            provider.faults().pretend(new Device.Memory(1L << 40, 1L << 40));
            assertEquals(32, pipeline.submit(STAR).result().join().image().width());
        }
    }

    @Test
    void justEnoughIsEnough() {
        try (DiffusionPipeline pipeline = open()) {
            long most = pipeline.spec().memoryBytes(STAR).stream().mapToLong(it -> it).max().orElseThrow();
            provider.faults().pretend(new Device.Memory(most - 1, most));
            assertThrows(CompletionException.class, () -> pipeline.submit(STAR).result().join());
            provider.faults().pretend(new Device.Memory(most, most));
            pipeline.submit(STAR).result().join();
        }
    }
}
