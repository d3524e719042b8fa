package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.CapturingProvider;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.run.BadValueException;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.program.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loops that look for NaN and infinite values. */
class GuardedLoopTest {
    private static final LoopOptions GUARDED = LoopOptions.DEFAULT.withGuards(true).withKeptLatents(true);

    private final Devices providers = Devices.discover();
    private List<Device> devices = List.of();

    private List<Device> open(Devices from, int count) {
        devices = from.open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    private static void runWith(Execution execution, String input, float bad, int from) {
        try (Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = new HashMap<>(TinyDenoiser.given(arena));
            given.get(input).setAtIndex(ValueLayout.JAVA_FLOAT, from, bad);
            execution.run(given, LoopObserver.NONE);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void theFirstSegmentWithABadValueIsNamedWithTensorDeviceAndStep(float bad) {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=three,n=3", 3),
                open(providers, 3));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, GUARDED)) {
            float[] expected = TinyDenoiser.run(execution, LoopObserver.NONE);
            // The text is read by the segment in the middle, on the second device.
            String message = assertThrows(BadValueException.class,
                () -> runWith(execution, "encoder_hidden_states", bad, 3)).getMessage();
            assertTrue(message.matches("c1 on cpu:1 made NaN or infinite values in tensor '\\w+' at step 1 "
                + "of 6, .*"), message);
            assertArrayEquals(expected, TinyDenoiser.run(execution, LoopObserver.NONE), "it can run again");
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 2", "2, 4", "4, 6"})
    void theStepIsThatOfTheFirstBadValue(int noiseStep, int step) {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("sequential", 2), open(providers, 2));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, GUARDED)) {
            // Noise of a step is in the latents that the next step reads.
            String message = assertThrows(BadValueException.class,
                () -> runWith(execution, Program.NOISE, Float.NaN, 24 * noiseStep)).getMessage();
            assertTrue(message.contains(" on cpu:0 ") && message.contains("at step " + step + " of 6"), message);
        }
    }

    @Test
    void guardsChangeNoBitsAlsoWhereTheRestIsReplayed() {
        List<Device> all = open(Devices.of(new CapturingProvider(providers.providers().stream()
            .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow())), 2);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=shell", 2), all);
             Execution plain = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false);
             Execution guarded = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, GUARDED)) {
            float[] expected = TinyDenoiser.run(plain, LoopObserver.NONE);
            assertArrayEquals(expected, TinyDenoiser.run(guarded, LoopObserver.NONE));
            assertArrayEquals(expected, TinyDenoiser.run(guarded, LoopObserver.NONE));
            assertThrows(BadValueException.class, () -> runWith(guarded, Program.LATENTS, Float.NaN, 0));
        }
    }

    @Test
    void withoutGuardsABadValueGoesThrough() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("sequential", 1), open(providers, 1));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            runWith(execution, Program.LATENTS, Float.NaN, 0);
        }
    }
}
