package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.file.UserCache;
import java.nio.file.Path;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * ONNX Runtime, of which a process has one environment: whoever asks first makes it. This is the only place where
 * Slipstream does, so that it writes and sends nothing. A program that uses ONNX Runtime itself calls
 * {@link OrtEnvironment#getEnvironment()} afterwards and gets the same; where it was first, its own is used.
 */
public final class OnnxRuntime {
    private static final String NAME = "slipstream";

    private OnnxRuntime() {
    }

    /** Loaded once, by the first who asks: a library that did not load will not load later. */
    private static final class Loaded {
        private static final Attempt ATTEMPT = load();
    }

    private sealed interface Attempt {
        /** @param folder where the library was loaded from; empty if it has unpacked itself */
        record Made(OrtEnvironment environment, Optional<Path> folder) implements Attempt {
        }

        record Failed(Availability.Unavailable why) implements Attempt {
        }
    }

    /** Loads the library, if this is the first call. Never throws. */
    static Availability availability() {
        return switch (Loaded.ATTEMPT) {
            case Attempt.Made made -> new Availability.Available("ONNX Runtime " + made.environment().getVersion());
            case Attempt.Failed failed -> failed.why();
        };
    }

    /**
     * The environment. Any thread may ask.
     *
     * @throws DeviceUnavailableException if ONNX Runtime does not load here
     */
    public static OrtEnvironment environment() {
        return switch (Loaded.ATTEMPT) {
            case Attempt.Made made -> made.environment();
            case Attempt.Failed(Availability.Unavailable(String reason, String remedy)) ->
                throw new DeviceUnavailableException(reason + "; " + remedy);
        };
    }

    /** Where its library was loaded from; empty if it was not, or has unpacked itself. */
    public static Optional<Path> folder() {
        return Loaded.ATTEMPT instanceof Attempt.Made made ? made.folder() : Optional.empty();
    }

    private static Attempt load() {
        try {
            Telemetry.forbid();
            return OnnxRuntimeLibrary.whileFound(OnnxRuntime::made);
        } catch (IllegalCallerException forbidden) {
            return failed("this program may not call native code (" + forbidden.getMessage() + ")",
                "start Java with --enable-native-access");
        } catch (LinkageError | RuntimeException failure) {
            return failed("ONNX Runtime's native library does not load: " + rootMessage(failure),
                "ONNX Runtime has libraries for 64-bit Linux with glibc, macOS on ARM and Windows; they are unpacked "
                    + "into " + UserCache.folder() + " or java.io.tmpdir (" + System.getProperty("java.io.tmpdir")
                    + "), one of which must allow executable files, and the second be writable; -D"
                    + OnnxRuntimeLibrary.PATH + "=FOLDER uses a library from elsewhere");
        }
    }

    private static Attempt failed(String reason, String remedy) {
        return new Attempt.Failed(new Availability.Unavailable(reason, remedy));
    }

    private static Attempt made(Optional<Path> folder) {
        OrtEnvironment environment = ProcessExit.hold(OnnxRuntime::make);
        Telemetry.switchOff(environment);
        if (!environment.toString().startsWith("OrtEnvironment(name=" + NAME + ",")) {
            Telemetry.warnIfOn(environment);
        }
        return new Attempt.Made(environment, folder);
    }

    private static OrtEnvironment make() {
        // Where another has made it, ONNX Runtime warns that our name and level are not taken. Telemetry says more.
        Logger logger = Logger.getLogger(OrtEnvironment.class.getName());
        Level level = logger.getLevel();
        logger.setLevel(Level.OFF);
        try {
            // Warnings are about graphs that run all the same, and errors come as exceptions.
            return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, NAME);
        } finally {
            logger.setLevel(level);
        }
    }

    /** What ONNX Runtime says, in one line and without its error code. */
    static String reason(OrtException failure) {
        return String.valueOf(failure.getMessage()).replaceFirst("^Error code - \\w+ - message: ", "")
            .replaceAll("\\s+", " ").strip();
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage().lines().findFirst().orElse("");
    }
}
