package dev.slipstream.bridge.tensorrt.library;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.tensorrt.api.TensorRt;

/** What came of looking for TensorRT's libraries: they are loaded, or there is a reason why not. */
public sealed interface TensorRtLibrary {
    /** @param where the file or the name that {@code libnvinfer} was loaded by */
    record Available(TensorRt tensorRt, String where) implements TensorRtLibrary {
    }

    /**
     * @param reason what was tried, in one line
     * @param remedy what to install or change
     */
    record Unavailable(String reason, String remedy) implements TensorRtLibrary {
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
