package dev.slipstream.bridge.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Our kernels on the stand-in for the driver, launched through the PTX that ships. */
final class KernelsOnFake implements AutoCloseable {
    private final FakeCudaSession session;
    private final MemorySegment module;

    KernelsOnFake(FakeCuda fake) {
        session = new FakeCudaSession(fake);
        module = session.made("cuModuleLoadDataEx", session.out(), session.arena().allocateFrom(ptx()), 0,
            MemorySegment.NULL, MemorySegment.NULL);
        session.freeLater("cuModuleUnload", module);
    }

    static String ptx() {
        try (InputStream resource = KernelsOnFake.class.getResourceAsStream("kernels.ptx")) {
            return new String(resource.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    Arena arena() {
        return session.arena();
    }

    long memory(long bytes) {
        return session.memory(bytes);
    }

    long upload(float... values) {
        return session.upload(arena().allocateFrom(ValueLayout.JAVA_FLOAT, values));
    }

    long upload(short... values) {
        return session.upload(arena().allocateFrom(ValueLayout.JAVA_SHORT, values));
    }

    float[] floats(long address, int count) {
        return session.download(address, count * 4L).toArray(ValueLayout.JAVA_FLOAT);
    }

    short[] shorts(long address, int count) {
        return session.download(address, count * 2L).toArray(ValueLayout.JAVA_SHORT);
    }

    byte[] bytes(long address, int count) {
        return session.download(address, count).toArray(ValueLayout.JAVA_BYTE);
    }

    int[] ints(long address, int count) {
        return session.download(address, count * 4L).toArray(ValueLayout.JAVA_INT);
    }

    /** A struct of longs, and an int after them where one is given. */
    MemorySegment arguments(long[] longs, int... ints) {
        MemorySegment struct = arena().allocate((longs.length + ints.length) * 8L, 8);
        for (int i = 0; i < longs.length; i++) {
            struct.setAtIndex(ValueLayout.JAVA_LONG, i, longs[i]);
        }
        for (int i = 0; i < ints.length; i++) {
            struct.set(ValueLayout.JAVA_INT, longs.length * 8L + i * 4L, ints[i]);
        }
        return struct;
    }

    /** On few threads, so that each has several elements, and some have none where there are few. */
    void launch(String kernel, MemorySegment arguments) {
        launch(kernel, 3, 7, arguments);
    }

    void launch(String kernel, int blocks, int threads, MemorySegment arguments) {
        MemorySegment function = session.made("cuModuleGetFunction", session.out(), module,
            arena().allocateFrom(kernel));
        MemorySegment parameters = arena().allocateFrom(ValueLayout.ADDRESS, arguments);
        session.ok("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, 0, session.stream(), parameters,
            MemorySegment.NULL);
        arguments.fill((byte) -1);
    }

    @Override
    public void close() {
        session.close();
    }
}
