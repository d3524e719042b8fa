package dev.slipstream.pipelines.file;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import java.io.EOFException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where in a JSON text something is wrong, cut out of the parser's longer messages. */
public final class JsonPosition {
    private static final Pattern POSITION = Pattern.compile("^(.*?)( at line \\d+ column \\d+)", Pattern.DOTALL);

    private JsonPosition() {
    }

    /** Such as " at line 3 column 7". */
    public static String of(JsonReader reader) {
        Matcher matcher = POSITION.matcher(reader.toString());
        return matcher.find() ? matcher.group(2) : "";
    }

    /** What a parser's exception says, up to the position; its rest is advice for programmers. */
    public static String explain(Exception e) {
        Throwable first = e instanceof JsonParseException && e.getCause() != null ? e.getCause() : e;
        if (first instanceof EOFException) {
            return "it ends too early";
        }
        String message = first.getMessage() == null ? "" : first.getMessage();
        // Gson's advice to programmers; it has no more to say about what is wrong there.
        message = message.replace(
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON", "malformed");
        Matcher matcher = POSITION.matcher(message);
        return matcher.find() ? matcher.group() : message;
    }
}
