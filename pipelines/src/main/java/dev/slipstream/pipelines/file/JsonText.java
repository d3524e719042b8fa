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
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads JSON strictly, as all configurations are: one value and nothing behind it, no deeper than 255 levels, and no
 * key twice in one object. Python's bare {@code Infinity} and {@code NaN} pass.
 */
public final class JsonText {
    private static final String[] PYTHON_NUMBERS = {"-Infinity", "Infinity", "NaN"};
    private static final Pattern POSITION = Pattern.compile("^(.*?)( at line \\d+ column \\d+)", Pattern.DOTALL);

    private JsonText() {
    }

    /** @throws MalformedJsonException which says what is wrong, and where */
    public static JsonElement parse(String text) throws MalformedJsonException {
        if (text.isBlank()) {
            throw new MalformedJsonException("it ends too early");
        }
        JsonReader reader = new JsonReader(new StringReader(withQuotedNumbers(text)));
        reader.setStrictness(Strictness.STRICT);
        try {
            JsonElement element = value(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new MalformedJsonException("something follows the object" + position(reader));
            }
            return element;
        } catch (IOException | JsonParseException | IllegalStateException e) {
            throw new MalformedJsonException(explain(e), e);
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
                throw new MalformedJsonException("\"" + shortened(key) + "\" comes twice" + position(reader));
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

    /**
     * Python writes infinities and NaN as bare words, which JSON does not know; diffusers' own configurations hold
     * {@code -Infinity} ({@code lambda_min_clipped}). Quoted, they pass a strict parser and still convert to a double.
     */
    private static String withQuotedNumbers(String json) {
        if (!json.contains("Infinity") && !json.contains("NaN")) {
            return json;
        }
        StringBuilder result = new StringBuilder(json.length() + 16);
        boolean inString = false;
        for (int i = 0; i < json.length(); i++) {
            String word = inString ? null : pythonNumberAt(json, i);
            if (word != null) {
                result.append('"').append(word).append('"');
                i += word.length() - 1;
                continue;
            }
            char c = json.charAt(i);
            result.append(c);
            if (inString && c == '\\' && i + 1 < json.length()) {
                result.append(json.charAt(++i));
            } else if (c == '"') {
                inString = !inString;
            }
        }
        return result.toString();
    }

    private static String pythonNumberAt(String json, int index) {
        for (String word : PYTHON_NUMBERS) {
            if (json.startsWith(word, index)) {
                return word;
            }
        }
        return null;
    }

    /** Such as " at line 3 column 7". */
    private static String position(JsonReader reader) {
        Matcher matcher = POSITION.matcher(reader.toString());
        return matcher.find() ? matcher.group(2) : "";
    }

    /** What is wrong with a JSON text and where, cut out of the longer message of the parser's exception. */
    public static String explain(Exception e) {
        Throwable first = e instanceof JsonParseException && e.getCause() != null ? e.getCause() : e;
        if (first instanceof EOFException) {
            return "it ends too early";
        }
        String message = first.getMessage() == null ? "" : first.getMessage();
        // Gson's advice to programmers says nothing about the text.
        message = message.replace(
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON", "malformed");
        Matcher matcher = POSITION.matcher(message);
        return matcher.find() ? matcher.group() : message;
    }
}
