package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all devices have in common: they know the objects that they made, close those that were leaked, refuse calls
 * when they are closed or lost, and keep what is closed while work that never ends may still use it. A provider's
 * device makes the objects and says what giving up and closing mean. Any thread may use it.
 */
public abstract class BaseDevice implements Device {
    private static final Logger LOG = LoggerFactory.getLogger(BaseDevice.class);

    private final String name;
    private final Device.Traits traits;
    private final DeviceHealth health;

    // Both guarded by `open`.
    private final Set<DeviceObject<?>> open = new LinkedHashSet<>();
    private boolean closed;

    // Guarded by itself: closed, but not freed.
    private final List<DeviceObject<?>> deferred = new ArrayList<>();

    protected BaseDevice(String name, Device.Traits traits) {
        this.name = name;
        this.traits = traits;
        this.health = new DeviceHealth(name);
    }

    /** Makes a buffer. @param bytes 0 or more */
    protected abstract BaseBuffer<?> makeBuffer(long bytes);

    protected abstract BaseStream<?> makeStream(String streamName);

    protected abstract BaseEvent<?> makeEvent(boolean timed);

    protected abstract BaseEngine<?> makeEngine(EngineSource source);

    protected abstract Memory readMemory();

    /** The device was given up, maybe not for the first time: wakes everything that waits for its work. */
    protected abstract void abandonWork();

    /**
     * Whether work may still touch what is closed, so that it must not be freed yet; {@link #freeDeferred} is called
     * when that is over.
     */
    protected boolean mayBeInUse() {
        return health.isGivenUp();
    }

    /** Frees what the device holds itself. Called once, after everything that it made is closed. */
    protected abstract void shutDown();

    public final DeviceHealth health() {
        return health;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Device.Traits traits() {
        return traits;
    }

    @Override
    public final Buffer allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("a buffer cannot have " + bytes + " bytes");
        }
        return make(() -> makeBuffer(bytes));
    }

    @Override
    public final HostMemory allocateHost(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("host memory cannot have " + bytes + " bytes");
        }
        return make(() -> makeHostMemory(bytes));
    }

    /** Makes memory of the host that copies reach without a stop: here any, where all of it is so. */
    protected BaseHostMemory<?> makeHostMemory(long bytes) {
        Arena arena = Arena.ofShared();
        return new BaseHostMemory<>(this, arena.allocate(bytes, Double.BYTES), arena::close);
    }

    @Override
    public final Stream newStream(String streamName) {
        return make(() -> makeStream(streamName));
    }

    @Override
    public final Event newEvent() {
        return make(() -> makeEvent(false));
    }

    @Override
    public final Event newTimedEvent() {
        return make(() -> makeEvent(true));
    }

    @Override
    public final Engine build(EngineSource source) {
        EngineBuild recorded = FlightRecorder.isInitialized() ? new EngineBuild() : null;
        if (recorded != null) {
            recorded.begin();
        }
        long begin = System.nanoTime();
        try {
            return make(() -> makeEngine(source));
        } finally {
            if (recorded != null) {
                recorded.device = name;
                recorded.engine = source.name();
                recorded.commit();
            }
            LOG.debug("{}: engine {} took {} ms", name, source.name(), (System.nanoTime() - begin) / 1_000_000);
        }
    }

    /** For JDK Flight Recorder. */
    @Name("dev.slipstream.EngineBuild")
    @Label("Engine Build")
    @Category("Slipstream")
    @Description("An engine was made of a graph, or read from the store")
    private static final class EngineBuild extends jdk.jfr.Event {
        @Label("Device")
        private String device;

        @Label("Engine")
        private String engine;
    }

    @Override
    public final Memory memory() {
        requireOpen();
        return readMemory();
    }

    private <T extends DeviceObject<?>> T make(Supplier<T> maker) {
        requireOpen();
        return add(maker.get());
    }

    private void requireOpen() {
        synchronized (open) {
            if (closed) {
                throw new IllegalStateException(name + " is closed");
            }
        }
        health.requireUsable();
    }

    /** Takes in a new object; where the device was closed meanwhile, the object is freed and refused. */
    final <T extends DeviceObject<?>> T add(T object) {
        synchronized (open) {
            if (!closed) {
                open.add(object);
                return object;
            }
        }
        object.free();
        throw new IllegalStateException(name + " is closed");
    }

    /** Whether the object was open until now. */
    final boolean forget(DeviceObject<?> object) {
        synchronized (open) {
            return open.remove(object);
        }
    }

    /** The open objects of one kind. */
    protected final <T extends DeviceObject<?>> List<T> open(Class<T> type) {
        synchronized (open) {
            return open.stream().filter(type::isInstance).map(type::cast).toList();
        }
    }

    /** Lets an object that was just closed free what it holds: now, or when nothing can use it any more. */
    final void release(DeviceObject<?> object) {
        synchronized (deferred) {
            if (mayBeInUse()) {
                defer(object);
                return;
            }
        }
        object.free();
    }

    /** Keeps an object that was closed, to free it later. */
    protected void defer(DeviceObject<?> object) {
        deferred.add(object);
    }

    /** Frees, the newest first, what was closed but may have been in use until now. */
    protected final void freeDeferred() {
        List<DeviceObject<?>> all;
        synchronized (deferred) {
            all = List.copyOf(deferred).reversed();
            deferred.clear();
        }
        for (DeviceObject<?> object : all) {
            try {
                object.free();
            } catch (RuntimeException failure) {
                LOG.warn("{}: {} could not be freed: {}", name, object, failure.getMessage());
            }
        }
    }

    @Override
    public final void giveUp(String reason) {
        health.giveUp(reason);
        abandonWork();
    }

    @Override
    public final int liveObjects() {
        synchronized (open) {
            return open.size();
        }
    }

    @Override
    public final void close() {
        synchronized (open) {
            if (closed) {
                return;
            }
            closed = true;
        }
        // Streams first: their queued work may still use everything else.
        closeLeaked(name, BaseStream.class::isInstance);
        closeLeaked(name, object -> true);
        shutDown();
    }

    /** Closes objects that should have been closed already, the newest first, and says so in the log. */
    final void closeLeaked(String owner, Predicate<DeviceObject<?>> which) {
        List<DeviceObject<?>> leaked;
        synchronized (open) {
            leaked = List.copyOf(open).reversed().stream().filter(which).toList();
        }
        if (leaked.isEmpty()) {
            return;
        }
        LOG.warn("{} was closed before {}, which it closes now", owner,
            leaked.stream().map(DeviceObject::toString).collect(Collectors.joining(", ")));
        for (DeviceObject<?> object : leaked) {
            try {
                object.close();
            } catch (RuntimeException failure) {
                LOG.warn("{} could not be closed: {}", object, failure.getMessage());
            }
        }
    }

    @Override
    public final String toString() {
        return name;
    }

    /** Memory of the host that its device knows while it is open. */
    public static final class BaseHostMemory<D extends BaseDevice> extends DeviceObject<D> implements HostMemory {
        private final MemorySegment bytes;
        private final Runnable free;

        /** @param free gives the memory back; called once, when no work uses it any more */
        public BaseHostMemory(D device, MemorySegment bytes, Runnable free) {
            super(device);
            this.bytes = bytes;
            this.free = free;
        }

        @Override
        public MemorySegment bytes() {
            requireOpen();
            return bytes;
        }

        @Override
        protected void free() {
            free.run();
        }

        @Override
        public String toString() {
            return "host memory of " + bytes.byteSize() + " bytes";
        }
    }
}
