package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import dev.slipstream.bridge.Availability;

/** ONNX Runtime's library: whether it loads here, and its errors in one line. */
final class OnnxRuntime {
    private OnnxRuntime() {
    }

    /** Loads the library, if this is the first call. Never throws. */
    static Availability availability() {
        try {
            return new Availability.Available("ONNX Runtime " + environment().getVersion());
        } catch (LinkageError | RuntimeException failure) {
            return new Availability.Unavailable("ONNX Runtime's native library does not load: " + rootMessage(failure),
                "ONNX Runtime has libraries for 64-bit Linux with glibc, macOS on ARM and Windows, and unpacks them "
                    + "into java.io.tmpdir (" + System.getProperty("java.io.tmpdir") + "), which must be writable and "
                    + "allow executable files; -Donnxruntime.native.path=FOLDER uses a library from elsewhere");
        }
    }

    /** The environment, of which a process has one. Where another user of ONNX Runtime made it, it is theirs. */
    static OrtEnvironment environment() {
        // Warnings are about graphs that run all the same, and errors come as exceptions.
        return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "slipstream");
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
