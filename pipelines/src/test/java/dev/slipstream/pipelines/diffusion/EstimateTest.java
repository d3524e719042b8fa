package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Estimates of loops on real devices, read while the loop runs. */
class EstimateTest {
    private static final int FLOATS = (int) TinyDenoiser.LATENTS.bytes() / Float.BYTES;

    private List<Device> devices;

    @BeforeEach
    void openTwoDevices() {
        devices = Devices.discover().open(Collections.nCopies(2, DeviceSpec.parse("cpu:1")));
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    /** The next latents are the prediction, so an estimate can be checked against latents alone. */
    private static NoiseTable predictions() {
        return new NoiseTable("predictions", 1, IntStream.range(0, TinyDenoiser.STEPS).mapToObj(step ->
            new Row(900 - step, 1, LinearForm.PREDICTION, LinearForm.ZERO, new LinearForm(1.5, -0.75))).toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff:warmup=1,cut=chain", "asyncdiff:warmup=1,cut=shell", "cfg-split"})
    void anEstimateIsTheLinearFormOfItsStepsLatentsAndPrediction(String plan) {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(plan, 2), devices);
             Execution kept = denoiser.prepare(predictions(), TinyDenoiser.GUIDANCE, true, false);
             Execution estimating = denoiser.prepare(predictions(), TinyDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withEstimates(Estimates.every(2)))) {
            float[] latents = TinyDenoiser.run(kept, LoopObserver.NONE);
            Map<Integer, float[]> estimates = estimates(estimating);
            assertEquals(Set.of(1, 3), estimates.keySet());
            estimates.forEach((step, estimate) -> {
                for (int i = 0; i < FLOATS; i++) {
                    float before = latents[(step - 1) * FLOATS + i];
                    float prediction = latents[step * FLOATS + i];
                    assertEquals(1.5f * before - 0.75f * prediction, estimate[i], 1e-5f, "step " + step);
                }
            });
        }
    }

    /** The estimates as the observer sees them; they must still be there after the run. */
    private static Map<Integer, float[]> estimates(Execution execution) {
        Map<Integer, float[]> estimates = new HashMap<>();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment to = arena.allocate(TinyDenoiser.LATENTS.bytes(), 64);
            execution.run(TinyDenoiser.given(arena), new LoopObserver() {
                @Override
                public void stepDone(int step, int steps) {
                    if (execution.program().estimates().containsKey(step)) {
                        execution.estimate(step, to);
                        estimates.put(step, to.toArray(ValueLayout.JAVA_FLOAT));
                    }
                }
            });
            estimates.forEach((step, estimate) -> {
                execution.estimate(step, to);
                assertArrayEquals(estimate, to.toArray(ValueLayout.JAVA_FLOAT));
            });
        }
        return estimates;
    }

    @Test
    void theLatentsAreTheSameBitForBit() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=shell", 2), devices);
             Execution without = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false);
             Execution with = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withKeptLatents(true).withEstimates(Estimates.every(1)))) {
            assertArrayEquals(TinyDenoiser.run(without, LoopObserver.NONE), TinyDenoiser.run(with, LoopObserver.NONE));
        }
    }

    @Test
    void aStepWithoutEstimateIsNamed() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("sequential", 2), devices);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withEstimates(Estimates.every(2)))) {
            String message = assertThrows(IllegalArgumentException.class,
                () -> execution.estimate(2, MemorySegment.NULL)).getMessage();
            assertTrue(message.contains("step 3 of 6") && message.contains("[2, 4]"), message);
        }
    }
}
