package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Availability;
import java.nio.file.Path;

/** What came of looking for TensorRT's libraries: they are loaded, or there is a reason why not. */
sealed interface TensorRtLibrary {
    /** @param where the file or the name that {@code libnvinfer} was loaded by */
    record Available(TensorRt tensorRt, String where) implements TensorRtLibrary {
    }

    /**
     * @param reason what was tried, in one line
     * @param remedy what to install or change
     */
    record Unavailable(String reason, String remedy) implements TensorRtLibrary {
    }

    /**
     * Looks at the explicit place, then at the system's, then on the class path, and loads what it finds. A wrong
     * explicit place is not passed over. Touches no GPU and never throws.
     *
     * @param cacheFolder where libraries from the class path are unpacked to
     */
    static TensorRtLibrary find(Path cacheFolder) {
        TensorRtLibrary found = LibrarySearch.here(cacheFolder).find();
        if (found instanceof Available(TensorRt tensorRt, String where)) {
            silenceAtShutdown(tensorRt.callbacks());
        }
        return found;
    }

    private static void silenceAtShutdown(Callbacks callbacks) {
        try {
            Runtime.getRuntime().addShutdownHook(
                Thread.ofPlatform().name("silence TensorRT").unstarted(callbacks::silence));
        } catch (IllegalStateException shuttingDown) {
            callbacks.silence();
        }
    }

    default Availability availability() {
        return switch (this) {
            case Available(TensorRt tensorRt, String where) -> new Availability.Available("TensorRT "
                + tensorRt.version() + " (" + where + ")"
                + (tensorRt.hasParser() ? "" : ", without its ONNX parser: only for engines that are stored"));
            case Unavailable(String reason, String remedy) ->
                new Availability.Unavailable("no TensorRT: " + reason, remedy);
        };
    }
}
