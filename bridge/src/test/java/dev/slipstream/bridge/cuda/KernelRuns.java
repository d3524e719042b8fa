package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.cuda.driver.KernelModule;
import dev.slipstream.bridge.cuda.driver.MemoryPool;
import dev.slipstream.bridge.cuda.driver.PrimaryContext;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.provider.DeviceHealth;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Our kernels on the first device of a driver, launched through the PTX that ships and the calls of the provider. */
final class KernelRuns implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Closer owned = new Closer();
    private final DeviceCalls calls;
    private final MemoryPool pool;
    private final StreamHandle stream;
    private final KernelModule module;

    KernelRuns(DriverCheck.Ready ready) {
        int ordinal = ready.gpus().getFirst().ordinal();
        PrimaryContext context = ready.driver().retain(ordinal);
        owned.own(() -> ready.driver().release(context));
        calls = new DeviceCalls("cuda:" + ordinal, context.handle(), new DeviceHealth("cuda:" + ordinal));
        pool = owned.own(MemoryPool.create(calls, ordinal));
        stream = calls.newStream();
        owned.own(() -> calls.destroyStream(stream));
        module = owned.own(KernelModule.load(calls, ptx()));
    }

    static String ptx() {
        try (InputStream resource = KernelRuns.class.getResourceAsStream("kernels.ptx")) {
            return new String(resource.readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    Arena arena() {
        return arena;
    }

    /** Device memory full of ones: as integers -1, as real numbers NaN. */
    long memory(long bytes) {
        return upload(arena.allocate(bytes, 16).fill((byte) -1));
    }

    long upload(float... values) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
    }

    long upload(short... values) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_SHORT, values));
    }

    private long upload(MemorySegment host) {
        long address = pool.allocate(host.byteSize(), stream);
        owned.own(() -> pool.free(address, stream));
        calls.upload(host, address, host.byteSize(), stream);
        return address;
    }

    float[] floats(long address, int count) {
        return download(address, count * 4L).toArray(ValueLayout.JAVA_FLOAT);
    }

    short[] shorts(long address, int count) {
        return download(address, count * 2L).toArray(ValueLayout.JAVA_SHORT);
    }

    byte[] bytes(long address, int count) {
        return download(address, count).toArray(ValueLayout.JAVA_BYTE);
    }

    int[] ints(long address, int count) {
        return download(address, count * 4L).toArray(ValueLayout.JAVA_INT);
    }

    private MemorySegment download(long address, long bytes) {
        MemorySegment host = arena.allocate(bytes, 16);
        calls.download(address, host, bytes, stream);
        Backoff.until(() -> calls.isIdle(stream));
        return host;
    }

    /** A struct of longs, and an int after them where one is given. */
    MemorySegment arguments(long[] longs, int... ints) {
        MemorySegment struct = arena.allocate((longs.length + ints.length) * 8L, 8);
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
        MemorySegment parameters = arena.allocateFrom(ValueLayout.ADDRESS, arguments);
        calls.launch(module.kernel(kernel), blocks, threads, parameters, stream);
        arguments.fill((byte) -1);
    }

    @Override
    public void close() {
        Backoff.until(() -> calls.isIdle(stream));
        owned.close();
        arena.close();
    }
}
