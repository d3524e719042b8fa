package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.provider.DeviceObject;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What could not be freed when it was closed, as work that may never end may still use it: streams that are stuck, and
 * everything of a device that was given up. Any thread may use it.
 */
final class Remains {
    private static final Logger LOG = LoggerFactory.getLogger(Remains.class);

    /** How long a device that is not given up waits for its stuck streams when it is closed. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String device;
    private final DeviceCalls calls;
    private final List<MemorySegment> streams = new ArrayList<>();
    private final List<DeviceObject<?>> objects = new ArrayList<>();

    Remains(String device, DeviceCalls calls) {
        this.device = device;
        this.calls = calls;
    }

    synchronized void addStream(MemorySegment stream) {
        streams.add(stream);
    }

    synchronized void add(DeviceObject<?> object) {
        if (object instanceof CudaStream stream) {
            streams.add(stream.abandoned());
        } else {
            objects.add(object);
        }
    }

    /** Makes another stream of the device wait for the stuck ones. */
    synchronized void holdBack(MemorySegment waiting, MemorySegment event) {
        for (MemorySegment stream : streams) {
            calls.record(event, stream);
            calls.await(waiting, event);
        }
    }

    /** Frees everything if no stream is stuck any more; returns whether that is so. */
    synchronized boolean free() {
        long start = System.nanoTime();
        long patience = calls.health().isGivenUp() ? 0 : PATIENCE_NANOS;
        while (!streams.stream().allMatch(calls::isOver)) {
            long waited = System.nanoTime() - start;
            if (waited >= patience) {
                return false;
            }
            Pause.after(waited);
        }
        streams.forEach(stream -> freeQuietly(stream.toString(), () -> calls.destroyStream(stream)));
        objects.reversed().forEach(object -> freeQuietly(object.toString(), object::free));
        streams.clear();
        objects.clear();
        return true;
    }

    private void freeQuietly(String what, Runnable free) {
        try {
            free.run();
        } catch (DeviceException failure) {
            LOG.warn("{}: {} could not be freed: {}", device, what, failure.getMessage());
        }
    }
}
