package dev.slipstream.samples.shell;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** A shell that completes words of the command line, and the script that teaches it the command's. */
enum Shell {
    BASH("bash-completion/completions/slipstream") {
        @Override
        String script(CommandLine command) {
            return AutoComplete.bash(NAME, command);
        }
    },
    /**
     * Reads scripts for bash, and files that begin with {@code #compdef} when a word is to be completed: these as the
     * body of a function, in which aliases come too late.
     */
    ZSH("zsh/site-functions/_slipstream") {
        @Override
        String script(CommandLine command) {
            return "#compdef " + NAME + "\nunalias compopt 2>/dev/null\nfunction compopt { :; }\n"
                + AutoComplete.bash(NAME, command)
                + "\n[ \"${funcstack[1]-}\" != _slipstream ] || _bash_complete -o default -F _complete_slipstream\n";
        }
    },
    FISH("fish/vendor_completions.d/slipstream.fish") {
        @Override
        String script(CommandLine command) {
            return new Fish().script(command.getCommandSpec());
        }
    };

    private static final String NAME = "slipstream";

    private final String file;

    Shell(String file) {
        this.file = file;
    }

    /** Where the shell looks for it, in a folder like {@code /usr/share}. */
    Path file() {
        return Path.of(file);
    }

    /** The name of the shell. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What to write into the shell's file of completions. @param command with all of its subcommands */
    abstract String script(CommandLine command);

    private static final class Fish {
        private static final String HEAD = """
            # Completions of slipstream for fish.

            # Whether the words so far name this command, like 'bench steps'; '' before there is a command.
            function __slipstream_at
                set -l at
                set -l words (commandline -opc)
                set -e words[1]
                for word in $words
                    contains -- "$at $word" %s; or break
                    set at "$at $word"
                end
                test "$at" = "$argv[1]"
            end

            """;

        private final List<String> commands = new ArrayList<>();
        private final StringBuilder lines = new StringBuilder();

        String script(CommandSpec root) {
            add(root, "");
            return HEAD.formatted(String.join(" ", commands.stream().map(Fish::quoted).toList())) + lines;
        }

        /** @param at the words that name it, with a space before each */
        private void add(CommandSpec command, String at) {
            String begin = "complete -c " + NAME + " -n " + quoted("__slipstream_at " + quoted(at));
            boolean takesFiles = command.positionalParameters().stream().anyMatch(it -> isPath(it.type())
                || it.auxiliaryTypes().length > 0 && isPath(it.auxiliaryTypes()[0]));
            lines.append(begin).append(takesFiles ? " -F" : " -f").append('\n');
            command.positionalParameters().stream().filter(it -> it.completionCandidates() != null)
                .forEach(it -> lines.append(begin).append(" -a ").append(candidates(it)).append('\n'));
            command.subcommands().forEach((name, sub) -> lines.append(begin).append(" -a ").append(quoted(name))
                .append(" -d ").append(quoted(sentence(sub.getCommandSpec().usageMessage().description())))
                .append('\n'));
            command.options().stream().filter(option -> !option.hidden())
                .forEach(option -> lines.append(begin).append(option(option)).append('\n'));
            command.subcommands().forEach((name, sub) -> {
                commands.add(at + " " + name);
                add(sub.getCommandSpec(), at + " " + name);
            });
        }

        private static String option(OptionSpec option) {
            StringBuilder text = new StringBuilder();
            for (String name : option.names()) {
                text.append(name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.substring(1));
            }
            if (option.completionCandidates() != null) {
                text.append(" -x -a ").append(candidates(option));
            } else if (option.arity().max() > 0) {
                text.append(isPath(option.type()) ? " -r -F" : " -x");
            }
            return text.append(" -d ").append(quoted(sentence(option.description()))).toString();
        }

        private static String candidates(ArgSpec arg) {
            return quoted(String.join(" ",
                StreamSupport.stream(arg.completionCandidates().spliterator(), false).toList()));
        }

        private static boolean isPath(Class<?> type) {
            return type == Path.class;
        }

        /** The first sentence of a description. */
        private static String sentence(String... description) {
            String text = description.length == 0 ? "" : description[0];
            int end = text.indexOf(". ");
            return (end < 0 ? text : text.substring(0, end)).replaceFirst("[.:,]$", "");
        }

        private static String quoted(String text) {
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
        }
    }
}
