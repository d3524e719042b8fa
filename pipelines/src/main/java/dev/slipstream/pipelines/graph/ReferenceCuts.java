package dev.slipstream.pipelines.graph;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The component tables of the AsyncDiff reference implementation (arXiv 2406.06911), which are data: a resource. It
 * lists families of models, each with what a config of the family says, and what configs mean that are silent.
 */
final class ReferenceCuts {
    private static final String RESOURCE = "asyncdiff-cuts.json";

    private final JsonObject tables;

    ReferenceCuts() {
        try (InputStream in = ReferenceCuts.class.getResourceAsStream(RESOURCE)) {
            tables = JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonObject();
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read the resource " + RESOURCE, failed);
        }
    }

    Optional<Cut> find(JsonObject config, int components) {
        // Silence means the defaults of this class only where the class or its blocks are named.
        if (!tables.get("class").equals(config.get("_class_name")) && !config.has("down_block_types")) {
            return Optional.empty();
        }
        for (JsonElement element : tables.getAsJsonArray("families")) {
            JsonObject family = element.getAsJsonObject();
            if (matches(family.getAsJsonObject("config"), config)) {
                String name = "asyncdiff-" + family.get("name").getAsString() + "-" + components;
                return Optional.ofNullable(family.getAsJsonObject("cuts").getAsJsonArray(Integer.toString(components)))
                    .map(lists -> new Cut(name, Cuts.components(lists, name)));
            }
        }
        return Optional.empty();
    }

    private boolean matches(JsonObject family, JsonObject config) {
        return family.entrySet().stream().allMatch(wanted -> value(config, wanted.getKey()).equals(wanted.getValue()));
    }

    private JsonElement value(JsonObject config, String key) {
        JsonElement said = config.get(key);
        JsonElement value = said == null || said.isJsonNull() ? tables.getAsJsonObject("defaults").get(key) : said;
        return value == null ? JsonNull.INSTANCE : value;
    }
}
