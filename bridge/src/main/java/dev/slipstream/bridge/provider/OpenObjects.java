package dev.slipstream.bridge.provider;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The objects of one device that are open. Any thread may use it. */
public final class OpenObjects {
    private static final Logger LOG = LoggerFactory.getLogger(OpenObjects.class);

    private final String deviceName;
    private final Set<DeviceObject<?>> open = new LinkedHashSet<>();
    private boolean closed;

    public OpenObjects(String deviceName) {
        this.deviceName = deviceName;
    }

    /** Takes in a new object; where the device was closed meanwhile, the object is freed and refused. */
    public <T extends DeviceObject<?>> T add(T object) {
        synchronized (this) {
            if (!closed) {
                open.add(object);
                return object;
            }
        }
        object.free();
        throw new IllegalStateException(deviceName + " is closed");
    }

    /** Whether the object was open until now. */
    synchronized boolean remove(DeviceObject<?> object) {
        return open.remove(object);
    }

    /** Those of one kind. */
    public synchronized <T extends DeviceObject<?>> List<T> ofType(Class<T> type) {
        return open.stream().filter(type::isInstance).map(type::cast).toList();
    }

    public synchronized int count() {
        return open.size();
    }

    public synchronized void requireOpen() {
        if (closed) {
            throw new IllegalStateException(deviceName + " is closed");
        }
    }

    /** From now on nothing is taken in. Returns whether that is new. */
    public synchronized boolean stop() {
        boolean first = !closed;
        closed = true;
        return first;
    }

    /** Closes those that should have been closed already, the newest first, and says so in the log. */
    public void closeLeaked(String owner, Predicate<DeviceObject<?>> which) {
        List<DeviceObject<?>> leaked = newestFirst(which);
        if (!leaked.isEmpty()) {
            LOG.warn("{} was closed before {}, which it closes now", owner,
                leaked.stream().map(DeviceObject::toString).collect(Collectors.joining(", ")));
            leaked.forEach(OpenObjects::closeAnyway);
        }
    }

    private static void closeAnyway(DeviceObject<?> object) {
        try {
            object.close();
        } catch (RuntimeException failure) {
            LOG.warn("{} could not be closed: {}", object, failure.getMessage());
        }
    }

    private synchronized List<DeviceObject<?>> newestFirst(Predicate<DeviceObject<?>> which) {
        return List.copyOf(open).reversed().stream().filter(which).toList();
    }
}
