package org.example.toy;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.provider.BaseBuffer;
import dev.slipstream.bridge.provider.BaseDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;

/** Makes the objects. What it holds itself is nothing. */
final class ToyDevice extends BaseDevice {
    private static final long BYTES = 1L << 40;

    /** Ends with the reason when the device is given up; everything that waits here waits for it as well. */
    final CompletableFuture<Void> lost = new CompletableFuture<>();

    ToyDevice(String name, Device.Traits traits) {
        super(name, traits);
    }

    @Override
    public String description() {
        return "a toy";
    }

    @Override
    protected Buffer makeBuffer(long bytes) {
        return new Buffer(this, bytes);
    }

    @Override
    protected ToyStream makeStream(String streamName) {
        return new ToyStream(this, streamName);
    }

    @Override
    protected ToyEvent makeEvent(boolean timed) {
        return new ToyEvent(this, timed);
    }

    @Override
    protected ToyEngine makeEngine(EngineSource source) {
        return ToyEngine.build(this, source);
    }

    @Override
    protected Memory readMemory() {
        return new Memory(BYTES, BYTES);
    }

    @Override
    protected void abandonWork() {
        health().reason().ifPresent(lost::completeExceptionally);
    }

    @Override
    protected void shutDown() {
        // Its streams are closed, and nothing else runs.
    }

    /** Memory of the host, which the garbage collector frees when no queued work names it any more. */
    static final class Buffer extends BaseBuffer<ToyDevice> {
        final MemorySegment memory;

        Buffer(ToyDevice device, long bytes) {
            super(device, bytes);
            try {
                memory = Arena.ofAuto().allocate(bytes, 64);
            } catch (OutOfMemoryError | IllegalArgumentException none) {
                throw new DeviceOutOfMemoryException(
                    device.name() + ": no memory for a buffer of " + bytes + " bytes", none);
            }
        }

        static MemorySegment memory(Slice slice) {
            return ((Buffer) slice.buffer()).memory.asSlice(slice.offset(), slice.bytes());
        }

        @Override
        protected void free() {
            // See above.
        }
    }
}
