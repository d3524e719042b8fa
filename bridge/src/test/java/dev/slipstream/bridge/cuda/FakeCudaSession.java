package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayDeque;
import java.util.Deque;

/** The first device of the stand-in with its context current, called as a program in C would; frees what it made. */
final class FakeCudaSession implements AutoCloseable {
    private static final int NON_BLOCKING = 1;

    private final FakeCuda fake;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment out = arena.allocate(64);
    private final Deque<Runnable> frees = new ArrayDeque<>();
    private final MemorySegment pool;
    private final MemorySegment stream;

    FakeCudaSession(FakeCuda fake) {
        this.fake = fake;
        ok("cuInit", 0);
        MemorySegment context = made("cuDevicePrimaryCtxRetain", out, 0);
        frees.push(() -> ok("cuDevicePrimaryCtxRelease_v2", 0));
        ok("cuCtxSetCurrent", context);
        MemorySegment properties = arena.allocate(88, 8);
        properties.set(ValueLayout.JAVA_INT, 0, 1);
        properties.set(ValueLayout.JAVA_INT, 8, 1);
        pool = made("cuMemPoolCreate", out, properties);
        frees.push(() -> ok("cuMemPoolDestroy", pool));
        stream = newStream();
    }

    /** The code that a driver function returns. */
    int code(String function, Object... arguments) {
        return (int) fake.call(ValueLayout.JAVA_INT, function, arguments);
    }

    void ok(String function, Object... arguments) {
        assertEquals(0, code(function, arguments), function);
    }

    /** Where a function that makes something puts its handle. */
    MemorySegment out() {
        return out;
    }

    MemorySegment made(String function, Object... arguments) {
        ok(function, arguments);
        return out.get(ValueLayout.ADDRESS, 0);
    }

    Arena arena() {
        return arena;
    }

    MemorySegment stream() {
        return stream;
    }

    MemorySegment newStream() {
        MemorySegment made = made("cuStreamCreate", out, NON_BLOCKING);
        frees.push(() -> ok("cuStreamDestroy_v2", made));
        return made;
    }

    MemorySegment newEvent() {
        MemorySegment made = made("cuEventCreate", out, 0);
        frees.push(() -> ok("cuEventDestroy_v2", made));
        return made;
    }

    void freeLater(String function, MemorySegment handle) {
        frees.push(() -> ok(function, handle));
    }

    /** Device memory, as the address that the driver gives. */
    long memory(long bytes) {
        ok("cuMemAllocFromPoolAsync", out, bytes, pool, stream);
        long address = out.get(ValueLayout.JAVA_LONG, 0);
        frees.push(() -> ok("cuMemFreeAsync", address, stream));
        return address;
    }

    long upload(MemorySegment host) {
        long address = memory(host.byteSize());
        ok("cuMemcpyHtoDAsync_v2", address, host, host.byteSize(), stream);
        return address;
    }

    /** Waits for the stream's work, and for the copy that this adds to it. */
    MemorySegment download(long address, long bytes) {
        MemorySegment host = arena.allocate(bytes, 16);
        ok("cuMemcpyDtoHAsync_v2", host, address, bytes, stream);
        ok("cuStreamSynchronize", stream);
        return host;
    }

    /** Queues a call of {@code work} on a stream. */
    void launch(MemorySegment on, Runnable work) {
        try {
            var run = MethodHandles.lookup().findVirtual(Runnable.class, "run", MethodType.methodType(void.class));
            var handle = MethodHandles.dropArguments(run.bindTo(work), 0, MemorySegment.class);
            MemorySegment stub = Linker.nativeLinker().upcallStub(handle,
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), arena);
            ok("cuLaunchHostFunc", on, stub, MemorySegment.NULL);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        ok("cuCtxSynchronize");
        frees.forEach(Runnable::run);
        arena.close();
    }
}
