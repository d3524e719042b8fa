package dev.slipstream.samples.verify;

import dev.slipstream.samples.terminal.Terminal;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** What one call of the command gave. @param error the exception that ended it, or null */
record VerifyRun(int exitCode, String out, String err, Exception error) {
    static VerifyRun of(Path folder, String... options) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Exception[] thrown = new Exception[1];
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add(folder.toString());
        Terminal terminal = new Terminal(out, err, () -> false);
        int code = new CommandLine(new VerifyCommand(terminal)).setErr(terminal.err()).setExecutionExceptionHandler(
            (failure, line, parsed) -> {
                thrown[0] = failure;
                return 2;
            }).execute(arguments.toArray(String[]::new));
        return new VerifyRun(code, out.toString(), err.toString(), thrown[0]);
    }
}
