package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.bridge.SlipstreamException;
import dev.slipstream.bridge.SlipstreamException.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A service decides by a failure's fault, and by whether to try again, what it answers. */
@Timeout(120)
class FailureFaultTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest STAR = ImageRequest.of("a star").withSteps(1);

    @TempDir
    private Path folder;

    private static void assertFault(Fault fault, Executable failing) {
        SlipstreamException failure = assertThrows(SlipstreamException.class, failing);
        assertEquals(fault, failure.fault(), failure.toString());
        assertFalse(failure.retryable(), failure.toString());
    }

    private static DiffusionPipeline.Builder sample() {
        return DiffusionPipeline.of(MODEL).devices("cpu:1");
    }

    @Test
    void whatAModelCannotDoIsTheCallersFault() {
        try (DiffusionPipeline pipeline = sample().open()) {
            for (ImageRequest wrong : new ImageRequest[] {STAR.withSize(33, 33), STAR.withScheduler("nonesuch"),
                STAR.withSteps(5000), STAR.withScheduler("flow-match-euler"),
                STAR.withConditioning(Conditioning.DEFAULT.withCrop(1, 1)),
                STAR.withGuidance(1).withGuidanceRescale(0.5), ImageRequest.of("x".repeat(1 << 17))}) {
                assertFault(Fault.CALLER, () -> pipeline.submit(wrong));
            }
        }
    }

    @Test
    void aPlanOrADeviceThatIsNotThereIsTheCallersFault() {
        assertFault(Fault.CALLER, () -> sample().plan("nonesuch"));
        assertFault(Fault.CALLER, () -> sample().plan("cfg-split").spec().check(STAR));
        assertFault(Fault.CALLER, () -> sample().devices("abacus:1").open());
    }

    @Test
    void damagedAndMissingFilesAreTheModelsFault() throws IOException {
        assertFault(Fault.MODEL, () -> DiffusionPipeline.of(folder).open());
        Files.writeString(folder.resolve("model_index.json"), "{");
        assertFault(Fault.MODEL, () -> DiffusionPipeline.of(folder).open());
        assertFault(Fault.MODEL, () -> sample().lora(folder.resolve("none.safetensors"), 1));
    }

    @Test
    void memoryThatIsFullIsTheMachinesFaultAndMayBeFreeLater() {
        FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
            .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());
        provider.faults().before(EnumSet.of(Call.BUILD), () -> {
            throw new DeviceOutOfMemoryException("no room");
        });
        try (DiffusionPipeline pipeline = sample().providers(Devices.of(provider)).open()) {
            Throwable failure = assertThrows(CompletionException.class, () -> pipeline.submit(STAR).result().join())
                .getCause();
            SlipstreamException known = assertInstanceOf(SlipstreamException.class, failure);
            assertEquals(Fault.MACHINE, known.fault());
            assertTrue(known.retryable());
        }
    }
}
