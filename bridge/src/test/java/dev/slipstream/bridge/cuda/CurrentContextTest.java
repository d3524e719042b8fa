package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A context is made current where another is, and not before each call. */
class CurrentContextTest {
    private static final int ROUNDS = 10;

    @Test
    void workOnOneDeviceTakesOneCallOfTheDriverEach() {
        try (FakeGpus gpus = FakeGpus.orSkip(1); Arena arena = Arena.ofShared()) {
            Device device = gpus.open(1).getFirst();
            try (Stream stream = device.newStream("one"); Buffer buffer = device.allocate(8);
                    Event event = device.newEvent()) {
                MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2);
                stream.upload(host, buffer.all());
                long before = gpus.driver().calls();
                for (int i = 0; i < ROUNDS; i++) {
                    stream.combine(twice(buffer));
                    stream.copy(buffer.slice(0, 4), buffer.slice(4, 4));
                    stream.record(event);
                    stream.await(event);
                }
                assertEquals(4 * ROUNDS, gpus.driver().calls() - before);
                stream.download(buffer.all(), host);
                stream.synchronize();
                assertArrayEquals(new float[] {1024, 1024}, host.toArray(ValueLayout.JAVA_FLOAT));
            }
            device.close();
        }
    }

    @Test
    void devicesInTurnMakeTheirContextsCurrentInTurn() {
        try (FakeGpus gpus = FakeGpus.orSkip(2); Arena arena = Arena.ofShared()) {
            List<Device> devices = gpus.open(2);
            try (Stream first = devices.getFirst().newStream("first");
                    Stream second = devices.getLast().newStream("second");
                    Buffer here = devices.getFirst().allocate(4); Buffer there = devices.getLast().allocate(4)) {
                MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
                first.upload(one, here.all());
                second.upload(one, there.all());
                long before = gpus.driver().calls();
                for (int i = 0; i < ROUNDS; i++) {
                    first.combine(twice(here));
                    second.combine(twice(there));
                }
                assertEquals(4 * ROUNDS, gpus.driver().calls() - before);
                assertEquals(1024, read(first, here, arena));
                assertEquals(1024, read(second, there, arena));
            }
            devices.reversed().forEach(Device::close);
        }
    }

    /** TensorRT, for one, may leave another context current than it found. */
    @Test
    void nothingReliesOnWhatALibraryLeft() {
        try (FakeGpus gpus = FakeGpus.orSkip(1)) {
            Device device = gpus.open(1).getFirst();
            long before = gpus.driver().calls();
            ((CudaDevice) device).calls().makeCurrent();
            assertEquals(1, gpus.driver().calls() - before);
            device.newEvent().close();
            assertTrue(gpus.driver().calls() - before >= 4, "make, close, and a context before");
            device.close();
        }
    }

    private static float read(Stream stream, Buffer buffer, Arena arena) {
        MemorySegment host = arena.allocate(ValueLayout.JAVA_FLOAT);
        stream.download(buffer.all(), host);
        stream.synchronize();
        return host.get(ValueLayout.JAVA_FLOAT, 0);
    }

    private static Combination twice(Buffer buffer) {
        return new Combination(buffer.all(), List.of(buffer.all()), List.of(2f));
    }
}
