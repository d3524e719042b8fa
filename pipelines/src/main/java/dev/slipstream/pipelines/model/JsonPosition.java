package dev.slipstream.pipelines.model;

import com.google.gson.stream.JsonReader;
import java.io.EOFException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where in a JSON text something is wrong, cut out of the parser's longer messages. */
final class JsonPosition {
    private static final Pattern POSITION = Pattern.compile("^(.*?)( at line \\d+ column \\d+)", Pattern.DOTALL);

    private JsonPosition() {
    }

    /** Such as " at line 3 column 7". */
    static String of(JsonReader reader) {
        Matcher matcher = POSITION.matcher(reader.toString());
        return matcher.find() ? matcher.group(2) : "";
    }

    /** What a parser's exception says, up to the position; its rest is advice for programmers. */
    static String explain(Exception e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        if (e instanceof EOFException || e.getCause() instanceof EOFException) {
            return "it ends too early";
        }
        // Gson's advice to programmers; it has no more to say about what is wrong there.
        message = message.replace(
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON", "malformed");
        Matcher matcher = POSITION.matcher(message);
        return matcher.find() ? matcher.group() : message;
    }
}
