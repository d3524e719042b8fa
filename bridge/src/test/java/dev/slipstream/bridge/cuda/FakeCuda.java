package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.Availability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * The stand-in for the CUDA driver and its knobs ({@code native/testing/knobs.h}). The library has one state a process,
 * so tests that use it must not run at the same time; each begins with {@link #reset}.
 */
public final class FakeCuda {
    private final Path library;
    private final SymbolLookup symbols;

    private FakeCuda(Path library) {
        this.library = library;
        // For ever: its threads must not lose the code that they run.
        this.symbols = SymbolLookup.libraryLookup(library, Arena.global());
    }

    /** Whether it can be compiled here. */
    public static Availability availability() {
        try {
            return FakeCudaBuild.availability();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Compiled and loaded; the calling test is skipped where there is no C compiler. */
    public static FakeCuda orSkip() {
        Availability availability = availability();
        assumeTrue(availability.isAvailable(), availability::toString);
        try {
            return new FakeCuda(FakeCudaBuild.find().library());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What to load in place of {@code libcuda.so.1}. */
    public Path library() {
        return library;
    }

    /** Drops everything, and starts again with so many devices of so many bytes. No other thread may be in a call. */
    public void reset(int devices, long memory) {
        call(null, "fake_reset", devices, memory);
    }

    /** Fails the n-th driver call from now, counted from 1 over all threads, with this code; 0 disarms. */
    public void failCall(long n, int code) {
        call(null, "fake_fail_call", n, code);
    }

    /** Driver calls since {@link #reset}. */
    public long calls() {
        return (long) call(ValueLayout.JAVA_LONG, "fake_calls");
    }

    /** The function that {@link #failCall} failed, or an empty string if it has not failed one yet. */
    public String lastFailed() {
        MemorySegment name = (MemorySegment) call(ValueLayout.ADDRESS, "fake_last_failed_name");
        return name.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** From now on each call on this device's context fails with 719, as does retaining it anew. */
    public void loseDevice(int ordinal) {
        call(null, "fake_lose_device", ordinal);
    }

    /** As in a new process: no device is lost. To be called when nothing is alive. */
    public void newProcess() {
        call(null, "fake_new_process");
    }

    /** From now on captures take copies between devices. */
    public void capturePeerCopies() {
        call(null, "fake_capture_peer_copies", 1);
    }

    /** Calls a function at the end of the next call of this driver function, before it returns. */
    public void afterCall(String function, MemorySegment stub) {
        try (Arena arena = Arena.ofConfined()) {
            call(null, "fake_after_call", arena.allocateFrom(function), stub);
        }
    }

    /** Objects that were not freed, retained contexts, and misuses that a driver would not notice. */
    public long liveHandles() {
        return (long) call(ValueLayout.JAVA_LONG, "fake_live_handles");
    }

    /** A line for each of {@link #liveHandles}. */
    public String liveReport() {
        try (Arena arena = Arena.ofConfined()) {
            long length = (long) call(ValueLayout.JAVA_LONG, "fake_live_report", MemorySegment.NULL, 0L);
            MemorySegment buffer = arena.allocate(length + 1);
            call(ValueLayout.JAVA_LONG, "fake_live_report", buffer, buffer.byteSize());
            return buffer.getString(0);
        }
    }

    /** What the driver says its version is, such as 13000. */
    public void driverVersion(int version) {
        call(null, "fake_driver_version", version);
    }

    /** What {@code cuInit} returns from now on. */
    public void initResult(int code) {
        call(null, "fake_init_result", code);
    }

    /** From now on queries wait until what they ask for is done, so that the same work makes the same calls. */
    public void patient() {
        call(null, "fake_patient", 1);
    }

    /** Calls a function of the library by name, with ints, longs and addresses as they come. */
    Object call(MemoryLayout result, String name, Object... arguments) {
        MemoryLayout[] parameters = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            parameters[i] = switch (arguments[i]) {
                case Byte b -> ValueLayout.JAVA_BYTE;
                case Integer n -> ValueLayout.JAVA_INT;
                case Long n -> ValueLayout.JAVA_LONG;
                case MemorySegment address -> ValueLayout.ADDRESS;
                default -> throw new IllegalArgumentException(arguments[i] + " for " + name);
            };
        }
        FunctionDescriptor descriptor = result == null ? FunctionDescriptor.ofVoid(parameters)
            : FunctionDescriptor.of(result, parameters);
        MemorySegment function = symbols.find(name).orElseThrow(() -> new IllegalArgumentException(name));
        try {
            return Linker.nativeLinker().downcallHandle(function, descriptor).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(name, e);
        }
    }
}
