package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Program.BufferSpec;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The buffers of a program, and where in them each value lies. A buffer is given again, once its value is read for the
 * last time, but only to a task that by its clock starts after everything that touched that value. So reuse never adds
 * a wait, and buffers ping-pong by themselves where an edge has slip.
 *
 * <p>Either any value of the same size may have it, which takes the least memory. Or, so that steps repeat, values of
 * one role (the same tensor at other steps) go through buffers of their own in a ring of 1, 2 or 4: then after a few
 * steps all tensors lie again where they lay, and what streams do there can be captured.
 */
final class Buffers {
    /** A buffer whose value is read out, and the tasks that touched it. */
    private record Free(int buffer, List<Node> touched) {
        boolean isSafeFor(Node node) {
            return touched.stream().allMatch(touch -> touch.isDoneBefore(node));
        }
    }

    /** What becomes of a value: where it lies, who touched it, and how often it will still be read. */
    private static final class Lifetime {
        private Region place;
        private final List<Node> touched = new ArrayList<>(4);
        private boolean isRead;
        private int readsLeft;
    }

    private record Role(String name, BufferSpec spec) {
    }

    /** Buffers of a role, the one given longest ago first, and how many there are to be. */
    private static final class Ring {
        private final Deque<Integer> buffers = new ArrayDeque<>();
        private int size = 1;
    }

    private final boolean repeating;
    private final List<BufferSpec> specs = new ArrayList<>();
    private final Map<Value, Lifetime> lifetimes = new HashMap<>();
    private final Map<BufferSpec, List<Free>> shared = new HashMap<>();
    private final Map<Role, Ring> rings = new HashMap<>();
    private final Map<Integer, Free> resting = new HashMap<>();

    /**
     * @param tasks all that will touch values
     * @param repeating whether steps are to use the same buffers again and again, in place of as few as possible
     */
    Buffers(List<Task> tasks, boolean repeating) {
        this.repeating = repeating;
        tasks.forEach(task -> task.work().reads().forEach(read -> {
            Lifetime lifetime = lifetime(read.value());
            lifetime.isRead = true;
            lifetime.readsLeft++;
        }));
    }

    private Lifetime lifetime(Value value) {
        return lifetimes.computeIfAbsent(value, key -> new Lifetime());
    }

    List<BufferSpec> specs() {
        return specs;
    }

    /** Where the bytes of a value lie. */
    Region region(Access access) {
        Region whole = lifetimes.get(access.value()).place;
        return new Region(whole.buffer(), whole.offset() + access.offset(), access.bytes());
    }

    /** Lays pinned values of a device behind each other in one buffer. */
    void layOut(int device, List<Value> values, long alignment) {
        long end = 0;
        for (Value value : values) {
            lifetime(value).place = new Region(specs.size(), end, value.bytes());
            end = Math.ceilDiv(end + value.bytes(), alignment) * alignment;
        }
        specs.add(new BufferSpec(device, end));
    }

    /**
     * Gives the values that a task writes their buffers, and frees those that it is the last to touch. Tasks come in
     * the order in which they are queued.
     */
    void use(Node node) {
        List<Access> writes = node.task().work().writes();
        for (Access write : writes) {
            Lifetime written = lifetime(write.value());
            if (written.place == null) {
                written.place = place(write.value(), node);
            }
            written.touched.add(node);
        }
        for (Access read : node.task().work().reads()) {
            Lifetime lifetime = lifetimes.get(read.value());
            lifetime.touched.add(node);
            if (--lifetime.readsLeft == 0) {
                free(read.value(), lifetime);
            }
        }
        for (Access write : writes) {
            Lifetime written = lifetimes.get(write.value());
            // A segment may make a tensor that is not read at this step; its bytes are free at once.
            if (!written.isRead) {
                free(write.value(), written);
            }
        }
    }

    private void free(Value value, Lifetime lifetime) {
        if (!value.isPinned()) {
            Free free = new Free(lifetime.place.buffer(), lifetime.touched);
            if (repeating) {
                resting.put(free.buffer(), free);
            } else {
                shared.computeIfAbsent(spec(value), spec -> new ArrayList<>()).add(free);
            }
        }
    }

    private Region place(Value value, Node node) {
        int buffer = value.isPinned() ? add(spec(value)) : repeating ? fromRing(value, node) : fromAll(value, node);
        return new Region(buffer, 0, value.bytes());
    }

    private int fromAll(Value value, Node node) {
        List<Free> candidates = shared.getOrDefault(spec(value), List.of());
        for (Free candidate : candidates) {
            if (candidate.isSafeFor(node)) {
                candidates.remove(candidate);
                return candidate.buffer();
            }
        }
        return add(spec(value));
    }

    private int fromRing(Value value, Node node) {
        Ring ring = rings.computeIfAbsent(new Role(value.role(), spec(value)), role -> new Ring());
        if (ring.buffers.size() == ring.size) {
            Free oldest = resting.get(ring.buffers.getFirst());
            if (oldest != null && oldest.isSafeFor(node)) {
                resting.remove(oldest.buffer());
                ring.buffers.addLast(ring.buffers.removeFirst());
                return oldest.buffer();
            }
            ring.size *= 2;
        }
        ring.buffers.addLast(add(spec(value)));
        return ring.buffers.getLast();
    }

    private int add(BufferSpec spec) {
        specs.add(spec);
        return specs.size() - 1;
    }

    private static BufferSpec spec(Value value) {
        return new BufferSpec(value.device(), value.bytes());
    }
}
