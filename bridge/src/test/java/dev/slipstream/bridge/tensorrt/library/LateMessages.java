package dev.slipstream.bridge.tensorrt.library;

import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import java.nio.file.Path;

/**
 * A program that uses the TensorRT which the environment names, and ends with it open: as its first argument says by
 * {@code return}, or by {@code exit} with 3.
 */
final class LateMessages {
    private LateMessages() {
    }

    public static void main(String[] arguments) {
        TensorRtLibrary library = LibrarySearch.ofProcess(Path.of(System.getProperty("java.io.tmpdir")));
        if (!(library instanceof TensorRtLibrary.Available(TensorRt tensorRt, String where))) {
            throw new IllegalStateException(library.toString());
        }
        InferenceRuntime runtime =
            tensorRt.createRuntime(new InferenceRuntime.CudaReady("none"));
        System.out.println("open: " + runtime + " of " + tensorRt.version());
        if (arguments[0].equals("exit")) {
            System.exit(3);
        }
    }
}
