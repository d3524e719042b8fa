package dev.slipstream.bridge.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;
import java.util.Optional;

/** Binds threads to cores, where the system can: Linux. */
final class Cores {
    /** More than a machine has. */
    static final int MOST = 1 << 12;

    private static final Optional<MethodHandle> BIND = function("sched_setaffinity");
    private static final Optional<MethodHandle> ASK = function("sched_getaffinity");

    private Cores() {
    }

    /** {@code int sched_setaffinity(pid_t thread, size_t bytes, cpu_set_t *mask)}; 0 is the calling thread. */
    private static Optional<MethodHandle> function(String name) {
        return Linker.nativeLinker().defaultLookup().find(name).map(function -> Linker.nativeLinker()
            .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.ADDRESS)));
    }

    static boolean canBind() {
        return BIND.isPresent();
    }

    /**
     * Lets the calling thread, and threads that it starts from now on, run on these cores only.
     *
     * @return whether it could be done: all of the cores are there, and this process may use them
     */
    static boolean bind(BitSet cores) {
        try (Arena arena = Arena.ofConfined()) {
            long[] wanted = cores.toLongArray();
            MemorySegment mask = arena.allocate(MOST / Byte.SIZE, Long.BYTES);
            MemorySegment.copy(wanted, 0, mask, ValueLayout.JAVA_LONG, 0, wanted.length);
            MemorySegment got = arena.allocate(mask.byteSize(), Long.BYTES);
            return (int) BIND.orElseThrow().invokeExact(0, mask.byteSize(), mask) == 0
                && (int) ASK.orElseThrow().invokeExact(0, got.byteSize(), got) >= 0
                && got.mismatch(mask) < 0;
        } catch (Throwable impossible) {
            throw new IllegalStateException("cores cannot be asked for: " + impossible, impossible);
        }
    }
}
