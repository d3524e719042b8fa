package dev.slipstream.samples;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;

/** What one call of {@code slipstream} gave. */
public record CommandRun(int code, String out, String err) {
    /** The sample model, from the folder in which the tests of this module run. */
    public static final Path MODEL = Path.of("model");

    public static CommandRun of(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false), args);
        return new CommandRun(code, out.toString(), err.toString());
    }

    public List<String> complaints() {
        return err.lines().toList();
    }

    JsonObject json() {
        return JsonParser.parseString(out).getAsJsonObject();
    }
}
