package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import org.junit.jupiter.api.Test;

/** What failed is of the same class behind streams and events, as callers tell by it what to do. */
class CpuFailureTest {
    @Test
    void anOutOfMemoryStaysOneHoweverManyStreamsItGoesThrough() {
        try (Device device = new CpuProvider().open(DeviceSpec.HOST); Stream first = device.newStream("first");
                Stream second = device.newStream("second"); Event failed = device.newEvent();
                Event next = device.newEvent()) {
            Progress progress = new Progress();
            Outcome outcome = new Outcome();
            outcome.fail(0, new DeviceOutOfMemoryException("the memory is full"));
            ((CpuEvent) failed).put(progress, outcome, 1);
            progress.advance(1);
            first.await(failed);
            first.record(next);
            second.await(next);
            assertEquals("cpu:0 (stream first): skipped, as it waits for work that failed: the memory is full",
                assertThrows(DeviceOutOfMemoryException.class, first::synchronize).getMessage());
            assertEquals("cpu:0 (stream second): skipped, as it waits for work that failed: the memory is full",
                assertThrows(DeviceOutOfMemoryException.class, second::synchronize).getMessage());
            assertThrows(DeviceOutOfMemoryException.class, failed::isDone);
        }
    }
}
