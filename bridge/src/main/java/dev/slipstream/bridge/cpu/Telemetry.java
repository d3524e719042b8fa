package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.module.ModuleDescriptor.Version;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps ONNX Runtime's telemetry off. Since 1.29 its libraries for Linux and macOS write a device number and events
 * into the user's cache, send them, and overflow the stack where the command line is long. They read a variable when
 * the environment is made, and never again; Java cannot set variables, so the C library does. It stays set: a second
 * copy of the library in this process reads it too. Programs that Java starts do not get it, as Java gives them the
 * variables that it found itself. On Windows there is a switch, and nothing else.
 *
 * @see <a href="https://github.com/microsoft/onnxruntime/blob/v1.29.0/docs/Privacy.md">ONNX Runtime's privacy page</a>
 */
final class Telemetry {
    private static final Logger LOG = LoggerFactory.getLogger(OnnxRuntime.class);
    private static final String VARIABLE = "ORT_DISABLE_TELEMETRY";
    private static final String OFF = "1";
    private static final Version FIRST_TO_WRITE = Version.parse("1.29");

    private Telemetry() {
    }

    /**
     * Before ONNX Runtime is loaded.
     *
     * @throws IllegalCallerException if this module may not call native code
     * @throws IllegalStateException if the variable cannot be set
     */
    static void forbid() {
        // Reading it first also makes Java copy its variables before there is one more.
        if (OFF.equals(System.getenv(VARIABLE))) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
        if (setenv.isEmpty()) {
            // Windows, where the library reads no variable.
            return;
        }
        MethodHandle call = linker.downcallHandle(setenv.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        int failed;
        try (Arena arena = Arena.ofConfined()) {
            failed = (int) call.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(OFF), 1);
        } catch (Throwable impossible) {
            throw new IllegalStateException("setenv cannot be called: " + impossible, impossible);
        }
        if (failed != 0) {
            throw new IllegalStateException("the variable " + VARIABLE + " cannot be set");
        }
    }

    /** The switch: on Windows the only one, elsewhere the one that is left in an environment that others have made. */
    static void switchOff(OrtEnvironment environment) {
        try {
            environment.setTelemetry(false);
        } catch (OrtException refused) {
            LOG.warn("ONNX Runtime's telemetry cannot be switched off: {}", OnnxRuntime.reason(refused));
        }
    }

    /** Says that it came too late. */
    static void warnIfOn(OrtEnvironment foreign) {
        if (!OFF.equals(System.getenv(VARIABLE))
            && Version.parse(foreign.getVersion()).compareTo(FIRST_TO_WRITE) >= 0) {
            LOG.warn("this program made its OrtEnvironment before Slipstream could turn ONNX Runtime's telemetry off, "
                + "which may have written and sent data; open Slipstream's devices first, or set {}={} before Java "
                + "starts", VARIABLE, OFF);
        }
    }
}
