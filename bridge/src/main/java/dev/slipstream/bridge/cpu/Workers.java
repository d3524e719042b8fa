package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.provider.DeviceObject;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many worker threads of a device are alive, and, once it was given up, what is closed but not freed because one
 * of them may still be writing to it. The last worker to end frees that; where a worker never ends it is leaked on
 * purpose, as memory that disappears under a running engine ends the process. Any thread may use it.
 */
final class Workers {
    private static final Logger LOG = LoggerFactory.getLogger(CpuDevice.class);

    private final List<DeviceObject<?>> remains = new ArrayList<>();
    private boolean abandoned;
    private int alive;

    synchronized void started() {
        alive++;
    }

    void ended() {
        List<DeviceObject<?>> rest = List.of();
        synchronized (this) {
            alive--;
            if (alive == 0) {
                rest = List.copyOf(remains);
                remains.clear();
            }
        }
        rest.forEach(Workers::freeRest);
    }

    /** From now on nothing is freed while a worker is alive. */
    synchronized void abandon() {
        abandoned = true;
    }

    /** Frees something that is closed: now or, if the workers are abandoned, once none is alive. */
    void free(DeviceObject<?> closed) {
        synchronized (this) {
            if (abandoned && alive > 0) {
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
