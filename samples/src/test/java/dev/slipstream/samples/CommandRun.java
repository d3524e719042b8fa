package dev.slipstream.samples;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.samples.terminal.Terminal;
import dev.slipstream.samples.terminal.Terminal.Surroundings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What one call of {@code slipstream} gave.
 *
 * @param bytes what went to the standard output beside text
 * @param err without the lines that say how far it is
 * @param progress these lines
 */
public record CommandRun(int code, String out, byte[] bytes, String err, List<String> progress) {
    /** The sample model, from the folder in which the tests of this module run. */
    public static final Path MODEL = Path.of("model");
    private static final Pattern PROGRESS =
        Pattern.compile("slipstream: (getting ready|(pictures? .*, )?step \\d+ of \\d+, \\d+\\.\\d s)");

    /** Without a standard input, variables and a configuration file. */
    public static CommandRun of(String... args) {
        return of("", Map.of(), args);
    }

    /** @param in the standard input */
    public static CommandRun of(String in, Map<String, String> environment, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int code = Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false, new Surroundings(
            new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)), bytes, () -> false, environment)), args);
        Map<Boolean, List<String>> lines = err.toString().lines()
            .collect(Collectors.partitioningBy(line -> PROGRESS.matcher(line).matches()));
        return new CommandRun(code, out.toString(), bytes.toByteArray(),
            lines.get(false).stream().map(line -> line + "\n").collect(Collectors.joining()), lines.get(true));
    }

    public List<String> complaints() {
        return err.lines().toList();
    }

    public JsonObject json() {
        return JsonParser.parseString(out).getAsJsonObject();
    }
}
