package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Closing a device or an engine before what it made: a leak, which is reported and does no harm. */
public interface LeakContract {
    /** Opens one more device of the kind under test. */
    Device openDevice();

    @Test
    default void aDeviceClosesWhatWasLeaked() {
        Device device = openDevice();
        Stream stream = device.newStream("leaked");
        Buffer buffer = device.allocate(4);
        Buffer result = device.allocate(4);
        Event event = device.newEvent();
        Engine engine = device.build(EngineSource.of("affine", TestModels.affine(1)));
        ExecutionContext context = engine.newContext();
        stream.run(context.bind(Map.of(
            "x", tensor(buffer, DataType.FLOAT32, 1), "y", tensor(result, DataType.FLOAT32, 1))));
        stream.record(event);
        device.close();
        assertEquals(0, device.liveObjects());
        assertThrows(IllegalStateException.class, stream::synchronize);
        assertThrows(IllegalStateException.class, engine::newContext);
        assertThrows(IllegalStateException.class, () -> device.allocate(1));
        assertThrows(IllegalStateException.class, () -> device.newStream("late"));
        assertThrows(IllegalStateException.class, device::newEvent);
        assertThrows(IllegalStateException.class, () -> device.build(EngineSource.of("a", TestModels.affine(1))));
        device.close();
    }

    @Test
    default void anEngineClosesItsContexts() {
        try (Device device = openDevice()) {
            Engine engine = device.build(EngineSource.of("affine", TestModels.affine(1)));
            ExecutionContext context = engine.newContext();
            engine.close();
            assertEquals(0, device.liveObjects());
            assertThrows(IllegalStateException.class, () -> context.bind(Map.of()));
        }
    }

    @Test
    default void aStreamHandlesTheCloseOfBuffersThatItsQueuedWorkUses() {
        try (Device device = openDevice(); Stream stream = device.newStream("stream")) {
            Buffer from = device.allocate(1 << 20);
            Buffer to = device.allocate(1 << 20);
            for (int i = 0; i < 200; i++) {
                stream.copy(from.all(), to.all());
            }
            from.close();
            to.close();
            try {
                stream.synchronize();
            } catch (DeviceException theWorkWasNotDoneYet) {
                stream.synchronize();
            }
        }
    }
}
