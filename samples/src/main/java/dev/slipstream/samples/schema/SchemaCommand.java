package dev.slipstream.samples.schema;

import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints a schema. */
@Command(name = "schema", description = {"Prints the JSON Schema of what a command prints with --json.",
    "Every object there has a schema_version. It goes up when a field goes or changes its meaning; fields may come "
        + "without that, so programs leave alone what they do not know."},
    footer = {"",
        "Examples:",
        "  slipstream schema",
        "  slipstream schema generate",
        "  slipstream schema engines list"})
public final class SchemaCommand implements Callable<Integer> {
    /** Those that there are, by the words of the command. */
    static final List<String> NAMES = List.of("generate", "plan", "predict", "doctor", "model init", "model show",
        "model convert", "model pull", "engines list", "cache list", "cache stats", "cache calibrate", "verify",
        "verify schedules", "bench", "bench steps", "bench graphs", "error");

    private final Terminal terminal;

    @Parameters(paramLabel = "COMMAND", arity = "0..*",
        description = "The command, as in 'bench steps'; 'error' is what all print on the standard error output. "
            + "Without it the names of all schemas.")
    private List<String> words = List.of();

    public SchemaCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        String name = String.join(" ", words);
        if (name.isEmpty()) {
            NAMES.forEach(terminal.out()::println);
            return ExitCode.OK;
        }
        if (!NAMES.contains(name)) {
            throw new InputException("there is no schema of '" + name + "'; there are " + String.join(", ", NAMES));
        }
        terminal.out().print(text(name));
        return ExitCode.OK;
    }

    static String text(String name) throws IOException {
        try (InputStream in = SchemaCommand.class.getResourceAsStream(name.replace(' ', '-') + ".json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
