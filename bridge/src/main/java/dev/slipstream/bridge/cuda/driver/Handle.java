package dev.slipstream.bridge.cuda.driver;

import java.lang.foreign.MemorySegment;

/** Pointers that the driver gave, each of its own type, so that one is not passed in the place of another. */
public sealed interface Handle {
    MemorySegment pointer();

    /** A {@code CUcontext}. */
    record ContextHandle(MemorySegment pointer) implements Handle {
    }

    /** A {@code CUstream}. */
    record StreamHandle(MemorySegment pointer) implements Handle {
    }

    /** A {@code CUevent}. */
    record EventHandle(MemorySegment pointer) implements Handle {
    }

    /** A {@code CUfunction}. */
    record KernelHandle(MemorySegment pointer) implements Handle {
    }

    /** A {@code CUgraphExec}: a graph that is ready to be launched. */
    record GraphHandle(MemorySegment pointer) implements Handle {
    }
}
