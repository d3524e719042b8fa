package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Memory stays while it is kept, and not longer. */
class CpuBufferTest {
    private final Device device = new CpuProvider().open(DeviceSpec.HOST);
    private final CpuBuffer buffer = (CpuBuffer) device.allocate(4);

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void memoryThatIsKeptOutlivesTheBuffer() {
        buffer.retain();
        buffer.close();
        assertTrue(buffer.segment().scope().isAlive());
        buffer.release();
        assertFalse(buffer.segment().scope().isAlive());
    }

    @Test
    void aReleaseTooManyIsNoticed() {
        buffer.close();
        String message = assertThrows(IllegalStateException.class, buffer::release).getMessage();
        assertEquals("buffer of 4 bytes of cpu:0 was released once too often", message);
        assertThrows(IllegalStateException.class, buffer::release);
        assertThrows(IllegalStateException.class, buffer::retain);
    }

    @Test
    void memoryThatIsGoneCannotBeKept() {
        buffer.close();
        assertThrows(IllegalStateException.class, buffer::retain);
    }
}
