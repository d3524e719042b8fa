package dev.slipstream.pipelines.model.init;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON files as people like to read them. */
final class Json {
    private Json() {
    }

    static void write(Path file, JsonObject json) throws IOException {
        Files.writeString(file, new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create()
            .toJson(json) + "\n");
    }
}
