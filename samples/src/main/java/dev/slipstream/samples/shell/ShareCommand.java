package dev.slipstream.samples.shell;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.samples.options.QuietOption;
import dev.slipstream.samples.settings.Settings;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

/** Writes what shells and {@code man} read. */
@Command(name = "share", description = {"Writes the manual pages, and completions for bash, zsh and fish.",
    "They go to where man and the shells look in folders like /usr/local/share."},
    footer = {"",
        "Examples:",
        "  slipstream share share",
        "  man -M share/man slipstream-generate",
        "",
        "With ~/.local/share as the folder, man, bash and fish find them by themselves, and",
        "zsh does with 'fpath+=(~/.local/share/zsh/site-functions)' before its compinit."})
public final class ShareCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Supplier<CommandLine> command;

    @Parameters(paramLabel = "DIR", description = "The folder; it is made if it is not there.")
    private Path folder;

    @Mixin
    private QuietOption quiet;

    /** @param command with all of its subcommands */
    public ShareCommand(Terminal terminal, Supplier<CommandLine> command) {
        this.terminal = terminal;
        this.command = command;
    }

    @Override
    public Integer call() throws IOException {
        CommandLine whole = command.get();
        Map<Path, String> files = new LinkedHashMap<>();
        for (Shell shell : Shell.values()) {
            files.put(shell.file(), shell.script(whole));
        }
        addPages(files, whole.getCommandSpec());
        for (Map.Entry<Path, String> file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            AtomicFile.write(path, file.getValue());
        }
        if (!quiet.isQuiet()) {
            terminal.out().println(files.size() + " files in " + folder);
        }
        return ExitCode.OK;
    }

    private static void addPages(Map<Path, String> files, CommandSpec command) {
        ManPage page = new ManPage(command);
        files.put(Path.of("man", "man1", page.name() + ".1"), page.text());
        command.subcommands().values().forEach(sub -> addPages(files, sub.getCommandSpec()));
    }

    /** A manual page, in the macros of man(7). */
    private static final class ManPage {
        private final CommandSpec command;
        private final StringBuilder text = new StringBuilder();

        ManPage(CommandSpec command) {
            this.command = command;
        }

        /** {@code slipstream-bench-steps}. */
        String name() {
            return name(command);
        }

        private static String name(CommandSpec command) {
            return command.qualifiedName("-");
        }

        String text() {
            String[] description = command.usageMessage().description();
            line(".TH " + escaped(name().toUpperCase(Locale.ROOT)) + " 1 \"\" \"slipstream\" \"Slipstream\"");
            section("NAME");
            words(name() + " - " + inLowerCase(description[0].replaceFirst("\\.$", "")));
            section("SYNOPSIS");
            words(new Help(command, Help.defaultColorScheme(Help.Ansi.OFF)).synopsis(0).strip());
            section("DESCRIPTION");
            paragraphs(List.of(description));
            options();
            subcommands();
            settings();
            section("EXIT STATUS");
            command.usageMessage().exitCodeList().forEach((code, meaning) -> entry(code.strip(), meaning));
            footer();
            List<String> others = new ArrayList<>(command.subcommands().values().stream()
                .map(sub -> name(sub.getCommandSpec())).toList());
            if (command.parent() != null) {
                others.addFirst(name(command.parent()));
            }
            if (!others.isEmpty()) {
                section("SEE ALSO");
                words(String.join(", ", others.stream().map(other -> other + "(1)").toList()));
            }
            return text.toString();
        }

        private static String inLowerCase(String sentence) {
            return sentence.substring(0, 1).toLowerCase(Locale.ROOT) + sentence.substring(1);
        }

        private void options() {
            section("OPTIONS");
            for (PositionalParamSpec parameter : command.positionalParameters()) {
                entry(parameter.paramLabel(), parameter.description());
            }
            HelpLayout.groups(command).forEach((heading, options) -> {
                line(".SS " + escaped(heading));
                for (OptionSpec option : options) {
                    entry(String.join(", ", option.names())
                        + (option.arity().max() == 0 ? "" : " " + option.paramLabel()), option.description());
                }
            });
        }

        private void subcommands() {
            if (!command.subcommands().isEmpty()) {
                section("COMMANDS");
                command.subcommands().forEach((name, sub) -> entry(name,
                    sub.getCommandSpec().usageMessage().description()));
            }
        }

        private void settings() {
            List<OptionSpec> settable = HelpLayout.groups(command).values().stream().flatMap(List::stream)
                .filter(Settings::isSettable).toList();
            if (settable.isEmpty()) {
                return;
            }
            section("ENVIRONMENT");
            words("What the command line does not say is taken from these variables, and then from the configuration "
                + "file.");
            settable.forEach(option -> entry(Settings.variable(option), "As " + option.longestName() + "."));
            entry(Settings.CONFIG_VARIABLE, "The configuration file; none if it is empty.");
            section("FILES");
            entry("$XDG_CONFIG_HOME/slipstream/config, ~/.config/slipstream/config", "Lines like "
                + Settings.key(settable.getFirst()) + " = VALUE, for all commands that have the option, or below a "
                + "line [" + command.qualifiedName().substring(command.root().name().length()).strip()
                + "] for this one. Lines that begin with # mean nothing.");
        }

        /** Examples, which are pasted, stay lines. */
        private void footer() {
            List<String> lines = new ArrayList<>(List.of(command.usageMessage().footer()));
            boolean kept = false;
            for (String line : lines) {
                boolean example = line.startsWith("  ");
                if (example != kept) {
                    line(example ? ".nf" : ".fi");
                    kept = example;
                }
                if (line.equals("Example:") || line.equals("Examples:")) {
                    section("EXAMPLES");
                } else if (line.isBlank()) {
                    line(".PP");
                } else {
                    words(line);
                }
            }
            if (kept) {
                line(".fi");
            }
        }

        private void section(String name) {
            line(".SH " + name);
        }

        private void paragraphs(List<String> paragraphs) {
            for (int index = 0; index < paragraphs.size(); index++) {
                if (index > 0) {
                    line(".PP");
                }
                words(paragraphs.get(index));
            }
        }

        private void entry(String term, String... description) {
            line(".TP");
            line(".B " + escaped(term));
            words(String.join(" ", description));
        }

        private void words(String words) {
            line(escaped(words));
        }

        private void line(String line) {
            text.append(line).append('\n');
        }

        private static String escaped(String words) {
            String plain = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("%n", " ");
            return plain.startsWith(".") ? "\\&" + plain : plain;
        }
    }
}
