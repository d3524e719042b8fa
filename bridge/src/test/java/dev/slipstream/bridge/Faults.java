package dev.slipstream.bridge;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Counts the calls to devices and lets one of them fail. Any thread may use it. */
public final class Faults {
    /** What can fail. */
    public enum Call {
        OPEN, ALLOCATE, NEW_STREAM, NEW_EVENT, BUILD, NEW_CONTEXT, BIND, EVENT_AWAIT, SYNCHRONIZE, BEGIN_CAPTURE,
        END_CAPTURE, RUN, COPY, UPLOAD, DOWNLOAD, COMBINE, RESCALE, LIMIT, COMPARE, CHECK_FINITE, LAUNCH, RECORD, AWAIT;

        /** Whether it only queues work, which may fail later. */
        public boolean isQueued() {
            return compareTo(RUN) >= 0;
        }
    }

    /** How it fails. */
    public enum Manner {
        /** The call throws, and does nothing. */
        THROWN,
        /** Queued work fails when its turn comes, and poisons its stream; other calls throw. */
        WHEN_DONE
    }

    /** In place of a call's number: each of them. */
    private static final int ALL = -1;

    private Set<Call> counted = EnumSet.noneOf(Call.class);
    private Manner manner = Manner.THROWN;
    private int failing;
    private int seen;
    private Set<Call> held = EnumSet.noneOf(Call.class);
    private int untilHeld;
    private Consumer<Stream> gate;
    private Optional<Device.Memory> memory = Optional.empty();
    private Set<Call> watched = EnumSet.noneOf(Call.class);
    private Runnable before = () -> {
    };

    /** Lets call number {@code number} from now on, counted from 1 among some kinds, fail; 0 only counts. */
    public synchronized void arm(int number, Set<Call> kinds, Manner how) {
        counted = EnumSet.copyOf(kinds);
        manner = how;
        failing = number;
        seen = 0;
    }

    /** Lets each call of some kinds fail. */
    public void failAll(Set<Call> kinds) {
        arm(ALL, kinds, Manner.THROWN);
    }

    /** Lets a stream be held back just before call number {@code number} of some kinds, whatever it queues. */
    public synchronized void hold(int number, Set<Call> kinds, Consumer<Stream> how) {
        held = EnumSet.copyOf(kinds);
        untilHeld = number;
        gate = how;
    }

    /** What to do before each call of some kinds from now on, on the thread that calls: wait, or throw. */
    public synchronized void before(Set<Call> kinds, Runnable what) {
        watched = EnumSet.copyOf(kinds);
        before = what;
    }

    /** What devices say of their memory from now on, in place of the truth. */
    public synchronized void pretend(Device.Memory pretended) {
        memory = Optional.of(pretended);
    }

    synchronized Optional<Device.Memory> memory() {
        return memory;
    }

    /** Lets any call number {@code number} fail, whatever its kind. */
    public void arm(int number, Manner how) {
        arm(number, EnumSet.allOf(Call.class), how);
    }

    /** From now on nothing fails, and nothing is counted. */
    public synchronized void disarm() {
        counted.clear();
    }

    /** Calls of the counted kinds since it was armed. */
    public synchronized int callsSeen() {
        return seen;
    }

    /** Notes a call. Throws if it is to fail at once; returns the failure if it is to fail later, else null. */
    DeviceException next(Call call, String place) {
        watch(call).run();
        return count(call, place);
    }

    private synchronized Runnable watch(Call call) {
        return watched.contains(call) ? before : () -> {
        };
    }

    private synchronized DeviceException count(Call call, String place) {
        if (!counted.contains(call) || ++seen != failing && failing != ALL) {
            return null;
        }
        DeviceException failure = failure(call, "injected: call " + seen + ", "
            + call.name().toLowerCase(Locale.ROOT).replace('_', ' ') + " on " + place + ", failed");
        if (manner == Manner.WHEN_DONE && call.isQueued()) {
            return failure;
        }
        throw failure;
    }

    /** Notes a call to a stream, and holds the stream back if it is the one. */
    synchronized void holdBack(Call call, Stream real) {
        if (held.contains(call) && --untilHeld == 0) {
            gate.accept(real);
        }
    }

    private static DeviceException failure(Call call, String message) {
        return switch (call) {
            case OPEN -> new DeviceUnavailableException(message);
            case ALLOCATE -> new DeviceOutOfMemoryException(message);
            case BUILD -> new EngineBuildException(message);
            default -> new DeviceException(message);
        };
    }
}
