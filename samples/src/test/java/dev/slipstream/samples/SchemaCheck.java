package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.harrel.jsonschema.Validator;
import dev.harrel.jsonschema.ValidatorFactory;
import dev.harrel.jsonschema.providers.GsonNode;
import java.util.List;

/** Whether what commands print is what {@code slipstream schema} says. */
public final class SchemaCheck {
    private SchemaCheck() {
    }

    /**
     * Fields that a schema does not name are wrong here: programs bear them, but our own have to be told.
     *
     * @param name of the schema, as the command takes it
     */
    public static void assertFits(String name, String output) {
        List<String> wrong = problems(name, output);
        assertTrue(wrong.isEmpty(), () -> wrong + " in " + output);
    }

    /** What does not fit, each in words. */
    public static List<String> problems(String name, String output) {
        CommandRun schema = CommandRun.of(("schema " + name).split(" "));
        assertTrue(schema.code() == 0, schema.err());
        Validator.Result result = new ValidatorFactory().withJsonNodeFactory(new GsonNode.Factory())
            .validate(closed(JsonParser.parseString(schema.out())), JsonParser.parseString(output));
        return result.getErrors().stream().map(error -> error.getInstanceLocation() + ": " + error.getError()).toList();
    }

    private static JsonElement closed(JsonElement schema) {
        if (schema instanceof JsonArray list) {
            JsonArray all = new JsonArray();
            list.forEach(each -> all.add(closed(each)));
            return all;
        }
        if (!(schema instanceof JsonObject object)) {
            return schema;
        }
        JsonObject closed = new JsonObject();
        object.entrySet().forEach(entry -> closed.add(entry.getKey(), closed(entry.getValue())));
        if (object.has("properties")) {
            closed.add("additionalProperties", new JsonPrimitive(false));
        }
        return closed;
    }
}
