package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Combination;
import dev.slipstream.bridge.GuidanceRescale;
import dev.slipstream.bridge.Limiting;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A slot of a stream's queue: what to do, and with what. Slots are made once and filled again and again, so that
 * queueing allocates nothing; which fields mean something depends on the operation.
 */
final class Command {
    /** What a command does. */
    enum Operation { RUN, COPY, COMBINE, RESCALE, LIMIT, GUARD, AWAIT, STAMP, STOP }

    Operation operation;

    /** RUN. */
    CpuBindings bindings;

    /** COPY: {@code bytes} from one segment to the other. */
    MemorySegment from;
    long fromOffset;
    MemorySegment to;
    long toOffset;
    long bytes;

    /** COMBINE. */
    Combination combination;

    /** RESCALE. */
    GuidanceRescale rescale;

    /** LIMIT. */
    Limiting limiting;

    /** GUARD. */
    Tensor guarded;
    Slice mark;
    int label;

    /** AWAIT: another stream's progress to a position, and how that went. STAMP: this stream's own. */
    Progress progress;
    Outcome outcome;
    long position;

    /** STAMP: the timed event to put the time on. */
    CpuEvent event;

    /** Forgets what it names, which could not be collected otherwise until the slot's next turn. */
    void clear() {
        bindings = null;
        from = null;
        to = null;
        combination = null;
        rescale = null;
        limiting = null;
        guarded = null;
        mark = null;
        progress = null;
        outcome = null;
        event = null;
    }

    /** What errors call it. */
    @Override
    public String toString() {
        return switch (operation) {
            case RUN -> "running " + bindings.context().engine().name();
            case COPY -> "copying " + bytes + " bytes";
            case COMBINE -> "combining " + combination.inputs().size() + " tensors of " + combination.out().bytes()
                + " bytes";
            case RESCALE -> "rescaling guidance of " + rescale.pictures() + " pictures";
            case LIMIT -> "limiting " + limiting.pictures() + " pictures: " + limiting.limit();
            case GUARD -> "guarding a tensor " + guarded.type();
            case AWAIT -> "waiting for an event";
            case STAMP -> "recording a timed event";
            case STOP -> "stopping";
        };
    }
}
