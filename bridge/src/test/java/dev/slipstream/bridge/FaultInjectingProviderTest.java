package dev.slipstream.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.bridge.Faults.Manner;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cpu.CpuProvider;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FaultInjectingProviderTest {
    private final CapturingProvider provider = new CapturingProvider(new CpuProvider());
    private final Faults faults = provider.faults();

    @ParameterizedTest
    @EnumSource
    void everyCallCanFailOnceAndNothingIsLeaked(Manner manner) {
        faults.arm(0, manner);
        useEverything();
        int calls = faults.callsSeen();
        assertTrue(calls >= Call.values().length, calls + " calls");
        Set<String> failed = new HashSet<>();
        for (int call = 1; call <= calls; call++) {
            faults.arm(call, manner);
            String message = assertThrows(DeviceException.class, this::useEverything, "call " + call).getMessage();
            assertTrue(message.startsWith("injected: call " + call + ", ") && message.contains("cpu"), message);
            failed.add(message.replaceAll(".*, (.*) on .*", "$1"));
            faults.disarm();
            useEverything();
        }
        assertEquals(Call.values().length, failed.size(), "kinds of calls: " + failed);
    }

    @Test
    void onlyTheChosenKindsAreCounted() {
        try (Device device = provider.open(DeviceSpec.parse("cpu"))) {
            faults.arm(2, EnumSet.of(Call.ALLOCATE), Manner.THROWN);
            device.newEvent().close();
            device.allocate(1).close();
            device.newEvent().close();
            assertThrows(DeviceOutOfMemoryException.class, () -> device.allocate(1));
            device.allocate(1).close();
            assertEquals(3, faults.callsSeen());
        }
    }

    @Test
    void failuresAreOfTheTypeThatTheCallHas() {
        try (Device device = provider.open(DeviceSpec.parse("cpu"))) {
            faults.arm(1, Manner.THROWN);
            assertThrows(DeviceUnavailableException.class, () -> provider.open(DeviceSpec.parse("cpu")));
            faults.arm(1, Manner.WHEN_DONE);
            assertThrows(EngineBuildException.class, () -> device.build(EngineSource.of("x", TestModels.affine(1))));
        }
    }

    @Test
    void workThatFailsWhenItIsDonePoisonsStreamsAndEventsAsARealFailureDoes() {
        try (Device device = provider.open(DeviceSpec.parse("cpu")); Device other = provider.open(
                DeviceSpec.parse("cpu")); Stream first = device.newStream("a"); Stream second = other.newStream("b");
                Buffer buffer = device.allocate(4); Event before = device.newEvent(); Event after = device.newEvent()) {
            MemorySegment one = MemorySegment.ofArray(new float[] {1});
            float[] result = new float[1];
            first.upload(one, buffer.all());
            first.record(before);
            faults.arm(1, Set.of(Call.UPLOAD), Manner.WHEN_DONE);
            first.upload(MemorySegment.ofArray(new float[] {2}), buffer.all());
            first.upload(MemorySegment.ofArray(new float[] {3}), buffer.all());
            first.record(after);
            second.await(after);
            assertTrue(before.await(Duration.ofSeconds(30)));
            assertThrows(DeviceException.class, () -> after.await(Duration.ofSeconds(30)));
            String message = assertThrows(DeviceException.class, second::synchronize).getMessage();
            assertTrue(message.contains("upload on " + device.name()), message);
            assertInstanceOf(DeviceException.class, assertThrows(DeviceException.class, first::synchronize).getCause());
            first.download(buffer.all(), MemorySegment.ofArray(result));
            first.record(after);
            second.await(after);
            first.synchronize();
            second.synchronize();
            assertTrue(after.isDone());
            assertArrayEquals(new float[] {1}, result);
        }
    }

    /** Makes each kind of call at least once, as careful code would: whatever happens, all is closed. */
    private void useEverything() {
        Device device = provider.open(DeviceSpec.parse("cpu"));
        try {
            useDevice(device);
        } finally {
            int left = device.liveObjects();
            device.close();
            assertEquals(0, left, "live objects");
        }
    }

    private static CapturedGraph captureRun(Stream stream, Bindings bindings) {
        stream.run(bindings);
        return stream.endCapture();
    }

    private static void useDevice(Device device) {
        TensorType type = TensorType.of(DataType.FLOAT32, 2);
        float[] result = new float[2];
        try (Buffer x = device.allocate(8); Buffer y = device.allocate(8);
                Buffer work = device.allocate(GuidanceRescale.workBytes(1));
                Buffer lanes = device.allocate(RelativeChange.WORK_BYTES); Device.HostMemory memory =
                    device.allocateHost(4);
                Engine engine = device.build(EngineSource.of("affine", TestModels.affine(2)));
                ExecutionContext context = engine.newContext(); Event ready = device.newEvent();
                Event end = device.newTimedEvent(); Stream first = device.newStream("first");
                Stream second = device.newStream("second")) {
            Bindings bindings = context.bind(Map.of("x", new Tensor(x.all(), type), "y", new Tensor(y.all(), type)));
            first.upload(MemorySegment.ofArray(new float[] {1, 2}), x.all());
            first.checkFinite(new Tensor(x.all(), type), y.slice(0, 4), 1);
            first.beginCapture();
            try (CapturedGraph graph = captureRun(first, bindings)) {
                first.launch(graph);
                first.synchronize();
            }
            first.record(ready);
            second.await(ready);
            second.combine(new Combination(x.all(), List.of(x.all(), y.all()), List.of(1f, 10f)));
            second.rescale(new GuidanceRescale(y.all(), y.all(), x.all(), work.all(), 1, 0));
            second.limit(new Limiting(x.all(), x.all(), 1, new Limit.Clamp(100)));
            second.compare(new RelativeChange(work.slice(0, 4), x.all(), y.all(), lanes.all()));
            second.download(work.slice(0, 4), memory.bytes());
            second.copy(x.all(), y.all());
            second.download(y.all(), MemorySegment.ofArray(result));
            second.record(end);
            assertTrue(end.await(Duration.ofSeconds(30)));
            second.synchronize();
            first.synchronize();
            assertFalse(end.busyNanos() < 0);
        }
        assertArrayEquals(new float[] {31, 52}, result);
    }
}
