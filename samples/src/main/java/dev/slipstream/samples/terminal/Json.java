package dev.slipstream.samples.terminal;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;

/**
 * Results for programs, as JSON: records, and lists and maps of them. Every object that is printed begins with the
 * version of its schema ({@code slipstream schema}); of a list, each object does.
 */
public final class Json {
    /** Of all outputs: goes up when a field goes or changes its meaning, not when one comes. */
    public static final int SCHEMA_VERSION = 1;

    private static final String VERSION_KEY = "schema_version";

    private Json() {
    }

    /** With the names of the record components. */
    public static String text(Object result) {
        return text(result, FieldNamingPolicy.IDENTITY);
    }

    /** With these names in {@code snake_case}. */
    public static String snakeCase(Object result) {
        return text(result, FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES);
    }

    private static String text(Object result, FieldNamingPolicy names) {
        Gson gson = new GsonBuilder().setFieldNamingPolicy(names).setPrettyPrinting().disableHtmlEscaping().create();
        return gson.toJson(versioned(gson.toJsonTree(result)));
    }

    /** What is a JSON tree already, with its nulls. */
    public static String tree(JsonElement result) {
        return new GsonBuilder().serializeNulls().setPrettyPrinting().disableHtmlEscaping().create()
            .toJson(versioned(result));
    }

    /** In one line. */
    static String line(JsonObject result) {
        return new GsonBuilder().disableHtmlEscaping().create().toJson(versioned(result));
    }

    private static JsonElement versioned(JsonElement result) {
        if (result instanceof JsonArray list) {
            JsonArray all = new JsonArray();
            list.forEach(element -> all.add(versioned(element)));
            return all;
        }
        JsonObject object = new JsonObject();
        object.add(VERSION_KEY, new JsonPrimitive(SCHEMA_VERSION));
        result.getAsJsonObject().entrySet().forEach(entry -> object.add(entry.getKey(), entry.getValue()));
        return object;
    }
}
