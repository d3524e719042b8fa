package dev.slipstream.pipelines.model.init;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * All configuration files of a family, from our own resources.
 *
 * @param index model_index.json
 * @param folders the configuration in each folder of the model, by the folder's name
 */
record FamilySettings(JsonObject index, Map<String, JsonObject> folders) {
    /** @param tiny with what makes the real sizes small */
    static FamilySettings read(ModelFamily family, boolean tiny) {
        JsonObject all = resource(family.id());
        JsonObject folders = all.getAsJsonObject("folders");
        if (tiny) {
            merge(folders, all.getAsJsonObject("tiny"));
        }
        Map<String, JsonObject> byName = new LinkedHashMap<>();
        folders.asMap().forEach((name, config) -> byName.put(name, config.getAsJsonObject()));
        return new FamilySettings(all.getAsJsonObject("model_index"), byName);
    }

    private static JsonObject resource(String name) {
        try (InputStream in = FamilySettings.class.getResourceAsStream(name + ".json");
            Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            JsonObject own = JsonParser.parseReader(reader).getAsJsonObject();
            if (!own.has("extends")) {
                return own;
            }
            JsonObject base = resource(own.remove("extends").getAsString());
            merge(base, own);
            return base;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sets in {@code target} what {@code changes} has, object by object. */
    private static void merge(JsonObject target, JsonObject changes) {
        for (Map.Entry<String, JsonElement> change : changes.entrySet()) {
            if (change.getValue().isJsonObject() && target.has(change.getKey())) {
                merge(target.getAsJsonObject(change.getKey()), change.getValue().getAsJsonObject());
            } else {
                target.add(change.getKey(), change.getValue());
            }
        }
    }
}
