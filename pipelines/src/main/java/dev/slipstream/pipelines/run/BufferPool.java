package dev.slipstream.pipelines.run;

import dev.slipstream.pipelines.run.Program.BufferSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The buffers of a program, and which are free. A buffer is given again only to a work that, by its clock, starts after
 * everything that touched the value before.
 *
 * <p>Either any value of the same size may have it, which takes the least memory. Or, so that steps repeat, values of
 * one role (the same tensor at other steps) go through buffers of their own in a ring of 1, 2 or 4: then after a few
 * steps all tensors lie again where they lay, and what streams do there can be replayed.
 */
final class BufferPool {
    /** A buffer whose value is read out, and the works that touched it. */
    private record Free(int buffer, List<Node> touched) {
        boolean isSafe(int[] clock) {
            return touched.stream().allMatch(node -> node.isBefore(clock));
        }
    }

    private record Role(String name, BufferSpec spec) {
    }

    /** Buffers of a role, the one given longest ago first, and how many there are to be. */
    private static final class Ring {
        private final Deque<Integer> buffers = new ArrayDeque<>();
        private int size = 1;
    }

    private final boolean repeating;
    private final List<BufferSpec> buffers = new ArrayList<>();
    private final Map<BufferSpec, List<Free>> shared = new HashMap<>();
    private final Map<Role, Ring> rings = new HashMap<>();
    private final Map<Integer, Free> resting = new HashMap<>();

    /** @param repeating whether steps are to use the same buffers again and again, in place of as few as possible */
    BufferPool(boolean repeating) {
        this.repeating = repeating;
    }

    /** All buffers; more may be added before the first is given. */
    List<BufferSpec> buffers() {
        return buffers;
    }

    /** Where a value lies that a work writes which starts at this clock. */
    Region place(Value value, int[] clock) {
        int buffer = value.isPinned() ? add(spec(value)) : repeating ? fromRing(value, clock) : fromAll(value, clock);
        return new Region(buffer, 0, value.bytes());
    }

    /** Nobody reads the value any more. */
    void release(Value value, int buffer, List<Node> touched) {
        if (!value.isPinned()) {
            Free free = new Free(buffer, List.copyOf(touched));
            if (repeating) {
                resting.put(buffer, free);
            } else {
                shared.computeIfAbsent(spec(value), spec -> new ArrayList<>()).add(free);
            }
        }
    }

    private int fromAll(Value value, int[] clock) {
        List<Free> candidates = shared.getOrDefault(spec(value), List.of());
        for (Free candidate : candidates) {
            if (candidate.isSafe(clock)) {
                candidates.remove(candidate);
                return candidate.buffer();
            }
        }
        return add(spec(value));
    }

    private int fromRing(Value value, int[] clock) {
        Ring ring = rings.computeIfAbsent(new Role(value.role(), spec(value)), role -> new Ring());
        if (ring.buffers.size() == ring.size) {
            Free oldest = resting.get(ring.buffers.getFirst());
            if (oldest != null && oldest.isSafe(clock)) {
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
        buffers.add(spec);
        return buffers.size() - 1;
    }

    private static BufferSpec spec(Value value) {
        return new BufferSpec(value.device(), value.bytes());
    }
}
