package dev.slipstream.samples.shell;

import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints what a shell needs to complete words. */
@Command(name = "completion", description = {"Prints a script with which a shell completes commands and options.",
    "A shell that reads it once completes words until it ends; written into its start file, always."},
    footer = {"",
        "Examples:",
        "  slipstream completion bash > slipstream.bash",
        "  slipstream completion zsh > slipstream.zsh",
        "  slipstream completion fish > slipstream.fish",
        "",
        "Each is read with 'source FILE'. 'slipstream share ~/.local/share' writes them to",
        "where bash and fish find them by themselves."})
public final class CompletionCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Supplier<CommandLine> command;

    @Parameters(paramLabel = "SHELL", completionCandidates = Shells.class,
        description = "${COMPLETION-CANDIDATES}.")
    private String shell;

    /** @param command with all of its subcommands */
    public CompletionCommand(Terminal terminal, Supplier<CommandLine> command) {
        this.terminal = terminal;
        this.command = command;
    }

    private static final class Shells implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.of(Shell.values()).map(Shell::toString).iterator();
        }
    }

    @Override
    public Integer call() {
        Shell wanted = Stream.of(Shell.values()).filter(it -> it.toString().equals(shell)).findFirst()
            .orElseThrow(() -> new InputException("there are no completions for '" + shell
                + "'; there are some for bash, zsh and fish"));
        terminal.out().print(wanted.script(command.get()));
        return ExitCode.OK;
    }
}
