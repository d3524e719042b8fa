package dev.slipstream.bridge.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import org.junit.jupiter.api.Test;

/** What a device says of its memory. */
public interface MemoryContract {
    DeviceFixture fixture();

    /** Opens one more device of the kind under test. */
    Device openDevice();

    @Test
    default void thereIsMemoryAndNotMoreFreeThanInAll() {
        Device.Memory memory = fixture().device().memory();
        assertTrue(memory.freeBytes() > 0 && memory.freeBytes() <= memory.totalBytes(), memory.toString());
    }

    @Test
    default void whatDoesNotFitIntoTheWholeMemoryIsRefused() {
        Device device = fixture().device();
        long tooMuch = 2 * device.memory().totalBytes();
        assertThrows(DeviceOutOfMemoryException.class, () -> device.allocate(tooMuch));
    }

    @Test
    default void aClosedDeviceDoesNotAnswer() {
        Device device = openDevice();
        device.close();
        assertThrows(IllegalStateException.class, device::memory);
    }
}
