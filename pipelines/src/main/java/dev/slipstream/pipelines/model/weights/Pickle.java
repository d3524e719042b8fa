package dev.slipstream.pipelines.model.weights;

import dev.slipstream.pipelines.model.ModelException;
import java.util.List;
import java.util.Locale;

/** Python's pickles run code when they are read, so they are refused by their names and never opened. */
public final class Pickle {
    private static final List<String> ENDINGS = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle");

    private Pickle() {
    }

    public static boolean is(String fileName) {
        String name = fileName.toLowerCase(Locale.ROOT);
        return ENDINGS.stream().anyMatch(name::endsWith);
    }

    /** The error for such a file. */
    public static ModelException refused(Object file) {
        return new ModelException(file + " is a pickle, which can run code when it is read; "
            + "ask for the same weights as .safetensors, or write them where you trust the file: "
            + "save_pretrained(FOLDER, safe_serialization=True) in diffusers");
    }
}
