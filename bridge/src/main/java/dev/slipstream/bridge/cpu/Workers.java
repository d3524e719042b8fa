package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.provider.DeviceObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams of a device whose worker threads are alive, and, once the device was given up, what is closed but not
 * freed because one of them may still be writing to it. The last worker to end frees that; where a worker never ends it
 * is leaked on purpose, as memory that disappears under a running engine ends the process. Any thread may use it.
 */
final class Workers {
    private static final Logger LOG = LoggerFactory.getLogger(CpuDevice.class);

    // All guarded by this.
    private final Set<CpuStream> alive = new HashSet<>();
    private final List<DeviceObject<?>> remains = new ArrayList<>();
    private DeviceLostException lost;

    synchronized void started(CpuStream stream) {
        alive.add(stream);
        if (lost != null) {
            stream.abandon(lost);
        }
    }

    void ended(CpuStream stream) {
        List<DeviceObject<?>> rest = List.of();
        synchronized (this) {
            alive.remove(stream);
            if (alive.isEmpty()) {
                rest = List.copyOf(remains);
                remains.clear();
            }
        }
        rest.forEach(Workers::freeRest);
    }

    /** From now on nobody waits for a worker, and nothing is freed while one is alive. */
    synchronized void abandon(DeviceLostException why) {
        lost = why;
        alive.forEach(stream -> stream.abandon(why));
    }

    /** Frees something that is closed: now or, if the workers are abandoned, once none is alive. */
    void free(DeviceObject<?> closed) {
        synchronized (this) {
            if (lost != null && !alive.isEmpty()) {
                remains.add(closed);
                return;
            }
        }
        closed.free();
    }

    private static void freeRest(DeviceObject<?> object) {
        try {
            object.free();
        } catch (RuntimeException failure) {
            LOG.warn("{} could not be freed: {}", object, failure.getMessage());
        }
    }
}
