package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.Poisoned;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds for a plan of each kind, on real devices. */
class PlanKindTest {
    private List<Device> devices = List.of();

    private List<Device> open(int count) {
        devices = Devices.discover().open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    @Test
    void everyStrategyIsThere() {
        Set<String> names = Stream.of(PlanKind.values()).flatMap(kind -> Arrays.stream(kind.plan().split("\\+")))
            .map(plan -> plan.split(":")[0]).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(names.containsAll(Strategy.NAMES), () -> "a kind for each of " + Strategy.NAMES + ": " + names);
    }

    @ParameterizedTest
    @EnumSource
    void whoReadsABufferBeforeOrAfterItsTimeReadsNoOtherValue(PlanKind kind) {
        try (Denoiser denoiser = Denoiser.build(kind.partitioned(), open(kind.devices()));
             Execution plain = kind.prepare(denoiser);
             Execution poisoned = denoiser.prepare(Poisoned.of(plain.program()), LoopOptions.DEFAULT)) {
            float[] expected = TinyNetwork.run(plain, LoopObserver.NONE);
            assertArrayEquals(expected, TinyNetwork.run(plain, LoopObserver.NONE), "the next run");
            assertArrayEquals(expected, poisoned(poisoned, Poisoned.bytes(plain.program())));
        }
    }

    /** Nothing is limited, so it makes no difference but that a limit of whole pictures keeps them whole. */
    @ParameterizedTest
    @EnumSource(names = "PIPEFUSION.*", mode = EnumSource.Mode.MATCH_ANY)
    void patchesThatGoOneByOneGiveWhatThoseDoThatWaitForEachOther(PlanKind kind) {
        try (Denoiser denoiser = Denoiser.build(kind.partitioned(), open(kind.devices()));
             Execution apart = unlimited(denoiser, new Limit.Clamp(1));
             Execution whole = unlimited(denoiser, new Limit.DynamicThreshold(0.9f, 1))) {
            assertTrue(apart.program().engineRuns() < whole.program().engineRuns(), "nothing is put together");
            assertArrayEquals(TinyNetwork.run(whole, LoopObserver.NONE), TinyNetwork.run(apart, LoopObserver.NONE));
        }
    }

    private static Execution unlimited(Denoiser denoiser, Limit limit) {
        List<Row> rows = WholeDenoiser.steps(PlanKind.STEPS).rows().stream()
            .map(row -> row.withClean(new LinearForm(1, -0.5))).toList();
        return denoiser.prepare(new NoiseTable("unlimited", 1, rows, Optional.of(limit)), Guidance.of(3),
            LoopOptions.DEFAULT.withKeptLatents(true));
    }

    /** @param garbage bytes of it, all ones: NaN for every type of numbers */
    private static float[] poisoned(Execution execution, long garbage) {
        Program program = execution.program();
        try (Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = new HashMap<>(TinyNetwork.given(arena, program.steps()));
            given.put(Poisoned.GARBAGE, arena.allocate(garbage, 64).fill((byte) -1));
            execution.run(given, LoopObserver.NONE);
            return TinyNetwork.latents(execution, arena);
        }
    }
}
