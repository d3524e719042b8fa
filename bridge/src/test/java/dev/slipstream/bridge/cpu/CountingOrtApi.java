package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OrtEnvironment;
import dev.slipstream.bridge.Upcall;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * ONNX Runtime's native functions, watched: which objects are made and not released yet, and which options are set. One
 * call can be made to fail. Its Java interface takes the functions from a table in C, {@code struct OrtApi}; while this
 * is open, that is a copy of the table in which some entries are Java methods that note the call and hand it on.
 *
 * <p>Objects may be made before it is opened, and released after it is closed. A process has one, for one test at a
 * time.
 */
final class CountingOrtApi implements AutoCloseable {
    /** How many functions there are at least since version 1.24; the Java interface uses none beyond. */
    private static final int FUNCTIONS = 412;
    private static final int CREATE_STATUS = 0;
    private static final int FAIL = 1;
    private static final MemoryLayout PTR = ValueLayout.ADDRESS;
    private static final MemoryLayout INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout BOOL = ValueLayout.JAVA_BOOLEAN;

    /** What Java owns in ONNX Runtime. */
    enum Kind {
        SESSION, OPTIONS, RUN_OPTIONS, VALUE
    }

    /** The functions that are watched, with their places in the table, which is only ever added to. */
    private enum Function {
        CREATE_SESSION(7, "CreateSession", Kind.SESSION, PTR, PTR, PTR, PTR),
        CREATE_SESSION_FROM_ARRAY(8, "CreateSessionFromArray", Kind.SESSION, PTR, PTR, LONG, PTR, PTR),
        RUN(9, "Run", null, PTR, PTR, PTR, PTR, LONG, PTR, LONG, PTR),
        CREATE_OPTIONS(10, "CreateSessionOptions", Kind.OPTIONS, PTR),
        OPTIMIZED_FILE(11, "SetOptimizedModelFilePath", null, PTR, PTR),
        EXECUTION_MODE(13, "SetSessionExecutionMode", null, PTR, INT),
        MEMORY_PATTERN(16, "EnableMemPattern", null, PTR),
        NO_MEMORY_PATTERN(17, "DisableMemPattern", null, PTR),
        LOG_LEVEL(22, "SetSessionLogSeverityLevel", null, PTR, INT),
        OPTIMIZATION_LEVEL(23, "SetSessionGraphOptimizationLevel", null, PTR, INT),
        INTRA_THREADS(24, "SetIntraOpNumThreads", null, PTR, INT),
        INTER_THREADS(25, "SetInterOpNumThreads", null, PTR, INT),
        INPUT_TYPE(33, "SessionGetInputTypeInfo", null, PTR, LONG, PTR),
        OUTPUT_TYPE(34, "SessionGetOutputTypeInfo", null, PTR, LONG, PTR),
        CREATE_RUN_OPTIONS(39, "CreateRunOptions", Kind.RUN_OPTIONS, PTR),
        CREATE_TENSOR(49, "CreateTensorWithDataAsOrtValue", Kind.VALUE, PTR, PTR, LONG, PTR, LONG, INT, PTR),
        RELEASE_SESSION(95, Kind.SESSION),
        RELEASE_VALUE(96, Kind.VALUE),
        RELEASE_RUN_OPTIONS(97, Kind.RUN_OPTIONS),
        RELEASE_OPTIONS(100, Kind.OPTIONS),
        FREE_DIMENSION(124, "AddFreeDimensionOverrideByName", null, PTR, PTR, LONG),
        CONFIG_ENTRY(130, "AddSessionConfigEntry", null, PTR, PTR, PTR),
        DETERMINISTIC(273, "SetDeterministicCompute", null, PTR, BOOL);

        private final int slot;
        private final String cName;
        private final Kind kind;
        private final FunctionDescriptor descriptor;

        Function(int slot, String cName, Kind made, MemoryLayout... arguments) {
            this.slot = slot;
            this.cName = cName;
            this.kind = made;
            this.descriptor = FunctionDescriptor.of(PTR, arguments);
        }

        Function(int slot, Kind released) {
            this.slot = slot;
            this.cName = "Release";
            this.kind = released;
            this.descriptor = FunctionDescriptor.ofVoid(PTR);
        }

        boolean hasStatus() {
            return descriptor.returnLayout().isPresent();
        }

        /** ONNX Runtime's Java interface makes options by these two calls, and goes on where one has failed. */
        boolean canFail() {
            return hasStatus() && this != CREATE_OPTIONS && this != INTER_THREADS;
        }

        boolean setsOptions() {
            return cName.startsWith("Set") || cName.startsWith("Add") || cName.contains("MemPattern");
        }
    }

    /** Never freed: a call may still be under way when it is closed. */
    private static final CountingOrtApi OF_PROCESS = new CountingOrtApi(Arena.global());

    private final Arena arena;
    private final Map<Function, MethodHandle> originals = new EnumMap<>(Function.class);
    private final MethodHandle createStatus;
    private final Field handle;
    private final long original;
    private final MemorySegment table;

    // Guarded by this.
    private final Map<Long, Kind> live = new HashMap<>();
    private final List<String> options = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private final Set<Long> released = new HashSet<>();
    private int runsWithOptions;
    private int callsUntilFailure = Integer.MAX_VALUE;
    private String failed = "";

    private CountingOrtApi(Arena arena) {
        this.arena = arena;
        OrtEnvironment environment = OnnxRuntime.environment();
        try {
            handle = Class.forName(environment.getClass().getPackageName() + ".OnnxRuntime")
                .getDeclaredField("ortApiHandle");
            handle.setAccessible(true);
            original = handle.getLong(null);
        } catch (ReflectiveOperationException otherVersion) {
            throw new AssertionError("ONNX Runtime keeps its table elsewhere", otherVersion);
        }
        long bytes = FUNCTIONS * ValueLayout.ADDRESS.byteSize();
        table = arena.allocate(bytes, ValueLayout.ADDRESS.byteAlignment())
            .copyFrom(MemorySegment.ofAddress(original).reinterpret(bytes));
        createStatus = Linker.nativeLinker().downcallHandle(table.getAtIndex(ValueLayout.ADDRESS, CREATE_STATUS),
            FunctionDescriptor.of(PTR, INT, PTR));
        for (Function function : Function.values()) {
            originals.put(function, Linker.nativeLinker().downcallHandle(
                table.getAtIndex(ValueLayout.ADDRESS, function.slot), function.descriptor));
            table.setAtIndex(ValueLayout.ADDRESS, function.slot,
                Upcall.stub(function.descriptor, arena, arguments -> call(function, arguments)));
        }
    }

    static CountingOrtApi open() {
        OF_PROCESS.begin();
        return OF_PROCESS;
    }

    private synchronized void begin() {
        live.clear();
        released.clear();
        options.clear();
        wrong.clear();
        runsWithOptions = 0;
        endFailures();
        use(table.address());
    }

    private void use(long address) {
        try {
            handle.setLong(null, address);
        } catch (IllegalAccessException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** How many objects were made and are not released. */
    synchronized long live(Kind kind) {
        return live.values().stream().filter(kind::equals).count();
    }

    /** The options that were set, in order, like {@code SetIntraOpNumThreads 2}. */
    synchronized List<String> options() {
        return List.copyOf(options);
    }

    /** How many runs had options of their own. */
    synchronized int runsWithOptions() {
        return runsWithOptions;
    }

    /** Lets the given call from now on fail, the next one being the first. */
    synchronized void failCall(int number) {
        callsUntilFailure = number;
        failed = "";
    }

    /** Lets no call fail any more. @return the function that failed since {@link #failCall}; empty if none did */
    synchronized String endFailures() {
        callsUntilFailure = Integer.MAX_VALUE;
        return failed;
    }

    /** Waits a while for the worker of a device that was given up, which releases objects when it ends. */
    void awaitRelease() {
        long start = System.nanoTime();
        while (anythingLives() && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(10)) {
            Thread.onSpinWait();
        }
    }

    private synchronized boolean anythingLives() {
        return !live.isEmpty();
    }

    /** @throws AssertionError if an object is not released, or one was released twice */
    synchronized void assertNothingIsLeft() {
        assertEquals(Map.of(), live, "objects of ONNX Runtime that were not released");
        assertEquals(List.of(), wrong);
    }

    @Override
    public synchronized void close() {
        use(original);
    }

    /** What it throws would end the virtual machine. */
    private Object call(Function function, Object[] arguments) {
        try {
            if (mustFail(function)) {
                return createStatus.invoke(FAIL, arena.allocateFrom("injected into " + function.cName));
            }
            if (!function.hasStatus()) {
                released(function.kind, ((MemorySegment) arguments[0]).address());
                return originals.get(function).invokeWithArguments(arguments);
            }
            MemorySegment status = (MemorySegment) originals.get(function).invokeWithArguments(arguments);
            if (status.equals(MemorySegment.NULL)) {
                succeeded(function, arguments);
            }
            return status;
        } catch (Throwable failure) {
            synchronized (this) {
                wrong.add(function + ": " + failure);
            }
            return function.hasStatus() ? MemorySegment.NULL : null;
        }
    }

    private synchronized boolean mustFail(Function function) {
        if (!function.canFail() || --callsUntilFailure != 0) {
            return false;
        }
        failed = function.cName;
        return true;
    }

    private synchronized void succeeded(Function function, Object[] arguments) {
        if (function.kind != null) {
            MemorySegment out = (MemorySegment) arguments[arguments.length - 1];
            long object = out.reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
            live.put(object, function.kind);
            released.remove(object);
        } else if (function.setsOptions()) {
            StringBuilder option = new StringBuilder(function.cName);
            for (int index = 1; index < arguments.length; index++) {
                option.append(' ').append(arguments[index] instanceof MemorySegment text
                    ? text.reinterpret(Long.MAX_VALUE).getString(0) : arguments[index]);
            }
            options.add(option.toString());
        } else if (function == Function.RUN && !arguments[1].equals(MemorySegment.NULL)) {
            runsWithOptions++;
        }
    }

    private synchronized void released(Kind kind, long object) {
        live.remove(object);
        if (!released.add(object)) {
            wrong.add("a " + kind + " was released twice");
        }
    }
}
