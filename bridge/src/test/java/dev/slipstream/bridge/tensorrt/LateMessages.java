package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.cuda.EngineTarget;
import java.nio.file.Path;

/**
 * A program that uses the TensorRT which the environment names, and ends with it open: as its first argument says by
 * {@code return}, or by {@code exit} with 3.
 */
final class LateMessages {
    private LateMessages() {
    }

    public static void main(String[] arguments) {
        TensorRtLibrary library = TensorRtLibrary.find(Path.of(System.getProperty("java.io.tmpdir")));
        if (!(library instanceof TensorRtLibrary.Available(TensorRt tensorRt, String where))) {
            throw new IllegalStateException(library.toString());
        }
        InferenceRuntime runtime =
            tensorRt.createRuntime(new CudaReady(new EngineTarget("cuda:0", 0, "none", 0, 0)));
        System.out.println("open: " + runtime + " of " + tensorRt.version());
        if (arguments[0].equals("exit")) {
            System.exit(3);
        }
    }
}
