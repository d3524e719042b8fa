package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Lets the process end while ONNX Runtime works, as a signal or {@link System#exit} may have it. The JVM does not wait
 * for threads in native code, and two things would free what those use, which aborts the process instead:
 *
 * <ul>
 * <li>ONNX Runtime's own shutdown hook releases the environment. Its C++ counts references, so a second one, which is
 * never given back, makes that harmless.
 * <li>The C library's {@code exit} destroys ONNX Runtime's static objects. Where a device is still open when the
 * process shuts down, a handler that comes before them ends the process, with the code that it was to have.
 * </ul>
 *
 * The second is done where the C library has {@code on_exit}, as on Linux. Any thread may use it.
 */
final class ProcessExit {
    /** One a process, like the environment. */
    private static final ProcessExit OF_PROCESS = new ProcessExit();
    private static final int PATIENCE_SECONDS = 10;

    private final ReentrantLock making = new ReentrantLock();
    private final AtomicInteger openDevices = new AtomicInteger();
    private boolean held;
    private boolean ending;

    private ProcessExit() {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "exit from ONNX Runtime"));
        } catch (IllegalStateException shuttingDown) {
            ending = true;
        }
    }

    /**
     * Makes the environment, or finds it, and holds it until the process is gone.
     *
     * @throws IllegalStateException if the process ends already, which loading a library would disturb
     */
    static OrtEnvironment hold(Supplier<OrtEnvironment> environment) {
        return OF_PROCESS.held(environment);
    }

    static void deviceOpened() {
        OF_PROCESS.opened();
    }

    static void deviceClosed() {
        OF_PROCESS.openDevices.decrementAndGet();
    }

    private OrtEnvironment held(Supplier<OrtEnvironment> environment) {
        making.lock();
        try {
            if (ending && !held) {
                throw new IllegalStateException("the process is ending");
            }
            if (!held) {
                // Loads the library. The reference must be there before the hook that releases the other one is.
                OrtEnvironment.getAvailableProviders();
                C.addReference();
                held = true;
            }
            return environment.get();
        } finally {
            making.unlock();
        }
    }

    private void opened() {
        making.lock();
        try {
            openDevices.incrementAndGet();
            if (ending) {
                C.leaveOutDestructors();
            }
        } finally {
            making.unlock();
        }
    }

    /** Runs beside other hooks, some of which may still let devices finish their work. */
    private void shutDown() {
        try {
            // While it is loaded, its static objects are made.
            if (making.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                ending = true;
                making.unlock();
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        if (openDevices.get() > 0) {
            C.leaveOutDestructors();
        }
    }

    /** Calls into ONNX Runtime and the C library. What is not there is not called. */
    private static final class C {
        /** What ONNX Runtime shows of itself: {@code struct OrtApiBase}, whose first member is {@code GetApi}. */
        private static final String API_BASE = "OrtGetApiBase";
        /** Place of {@code CreateEnv} in {@code struct OrtApi}, which is only ever added to. */
        private static final int CREATE_ENVIRONMENT = 3;
        private static final int OLDEST_API = 1;
        private static final int ERRORS_ONLY = 3;
        private static final AddressLayout TABLE = ValueLayout.ADDRESS.withTargetLayout(
            MemoryLayout.sequenceLayout(CREATE_ENVIRONMENT + 1, ValueLayout.ADDRESS));

        private C() {
        }

        static void addReference() {
            Optional<MemorySegment> base = SymbolLookup.loaderLookup().find(API_BASE);
            if (base.isEmpty()) {
                return;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment getApi = ((MemorySegment) call(base.get(), FunctionDescriptor.of(TABLE)).invokeExact())
                    .get(ValueLayout.ADDRESS, 0);
                MemorySegment api = (MemorySegment) call(getApi, FunctionDescriptor.of(TABLE, ValueLayout.JAVA_INT))
                    .invokeExact(OLDEST_API);
                MemorySegment status = (MemorySegment) call(
                    api.getAtIndex(ValueLayout.ADDRESS, CREATE_ENVIRONMENT),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS))
                    .invokeExact(ERRORS_ONLY, arena.allocateFrom("slipstream"), arena.allocate(ValueLayout.ADDRESS));
                if (!status.equals(MemorySegment.NULL)) {
                    throw new IllegalStateException("no environment");
                }
            } catch (Throwable failure) {
                throw new IllegalStateException("ONNX Runtime's environment cannot be held: " + failure, failure);
            }
        }

        /** {@code on_exit(_exit, NULL)}: the last handler that was added runs first, and is given the exit code. */
        static void leaveOutDestructors() {
            SymbolLookup library = Linker.nativeLinker().defaultLookup();
            Optional<MemorySegment> onExit = library.find("on_exit");
            Optional<MemorySegment> end = library.find("_exit");
            if (onExit.isEmpty() || end.isEmpty()) {
                return;
            }
            try {
                int _ = (int) call(onExit.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS, ValueLayout.ADDRESS)).invokeExact(end.get(), MemorySegment.NULL);
            } catch (Throwable failure) {
                throw new IllegalStateException("on_exit cannot be called: " + failure, failure);
            }
        }

        private static MethodHandle call(MemorySegment function, FunctionDescriptor descriptor) {
            return Linker.nativeLinker().downcallHandle(function, descriptor);
        }
    }
}
