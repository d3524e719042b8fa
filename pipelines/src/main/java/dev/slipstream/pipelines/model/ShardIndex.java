package dev.slipstream.pipelines.model;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.file.JsonPosition;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The {@code *.safetensors.index.json} of weights that are stored in several files: which tensor is in which.
 *
 * @param path the index itself, for messages
 * @param shards name of the file by tensor, in the index's order; not checked yet
 */
record ShardIndex(Path path, Map<String, String> shards) {
    private static final int DEEPEST = 32;

    ShardIndex {
        shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
    }

    /** @throws ModelException if the file cannot be read, is damaged, or lists a tensor twice or none at all */
    static ShardIndex read(Path path) {
        // Read token by token: a parsed tree would hide names that come twice.
        String text;
        try {
            text = InputFile.text(path, SafetensorsFile.MOST_HEADER_BYTES);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
        if (GitLfs.isPointer(text)) {
            throw new ModelException(GitLfs.advice(path));
        }
        try (JsonReader reader = new JsonReader(new StringReader(text))) {
            reader.setStrictness(Strictness.STRICT);
            reader.setNestingLimit(DEEPEST);
            return new ShardIndex(path, readAll(path, reader));
        } catch (IOException | IllegalStateException e) {
            throw new ModelException(path + " is damaged: " + JsonPosition.explain(e), e);
        }
    }

    private static Map<String, String> readAll(Path path, JsonReader reader) throws IOException {
        Map<String, String> shards = new LinkedHashMap<>();
        reader.beginObject();
        while (reader.hasNext()) {
            if (reader.nextName().equals("weight_map")) {
                readMap(path, reader, shards);
            } else {
                reader.skipValue();
            }
        }
        reader.endObject();
        if (reader.peek() != JsonToken.END_DOCUMENT) {
            throw new ModelException(path + " is damaged: something follows the object");
        }
        if (shards.isEmpty()) {
            throw new ModelException(path + " lists no tensors; it must have a \"weight_map\"");
        }
        return shards;
    }

    private static void readMap(Path path, JsonReader reader, Map<String, String> shards) throws IOException {
        reader.beginObject();
        while (reader.hasNext()) {
            String tensor = reader.nextName();
            String shown = SafetensorsHeaderReader.shortened(tensor);
            if (reader.peek() != JsonToken.STRING) {
                throw new ModelException(path + " does not name a file for tensor " + shown);
            }
            if (shards.put(tensor, reader.nextString()) != null) {
                throw new ModelException(path + " lists tensor " + shown + " twice");
            }
        }
        reader.endObject();
    }
}
