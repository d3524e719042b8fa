package dev.slipstream.pipelines.file;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.StringReader;

/**
 * Reads JSON strictly, as all configurations are: one value and nothing behind it, no deeper than 255 levels, and no
 * key of an object twice, of which readers would take one or the other. Python's bare {@code Infinity} and {@code NaN}
 * pass.
 */
public final class JsonText {
    private JsonText() {
    }

    /** @throws MalformedJsonException which says what is wrong, and where */
    public static JsonElement parse(String text) throws MalformedJsonException {
        if (text.isBlank()) {
            throw new MalformedJsonException("it ends too early");
        }
        JsonReader reader = new JsonReader(new StringReader(PythonNumbers.quoted(text)));
        reader.setStrictness(Strictness.STRICT);
        try {
            JsonElement element = value(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new MalformedJsonException("something follows the object" + JsonPosition.of(reader));
            }
            return element;
        } catch (IOException | JsonParseException | IllegalStateException e) {
            throw new MalformedJsonException(JsonPosition.explain(e), e);
        }
    }

    private static JsonElement value(JsonReader reader) throws IOException {
        return switch (reader.peek()) {
            case BEGIN_OBJECT -> object(reader);
            case BEGIN_ARRAY -> array(reader);
            default -> JsonParser.parseReader(reader);
        };
    }

    private static JsonObject object(JsonReader reader) throws IOException {
        JsonObject object = new JsonObject();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.nextName();
            if (object.has(key)) {
                throw new MalformedJsonException("\"" + shortened(key) + "\" comes twice" + JsonPosition.of(reader));
            }
            object.add(key, value(reader));
        }
        reader.endObject();
        return object;
    }

    private static JsonArray array(JsonReader reader) throws IOException {
        JsonArray array = new JsonArray();
        reader.beginArray();
        while (reader.hasNext()) {
            array.add(value(reader));
        }
        reader.endArray();
        return array;
    }

    private static String shortened(String key) {
        return key.length() <= 100 ? key : key.substring(0, 100) + "...";
    }
}
