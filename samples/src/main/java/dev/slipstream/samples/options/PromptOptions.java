package dev.slipstream.samples.options;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What pictures show: a word of the command line, or the lines of a file or of the standard input. */
public final class PromptOptions {
    private static final String STANDARD_INPUT = "-";
    private static final int MOST_BYTES = 1 << 20;

    @Parameters(paramLabel = "PROMPT", arity = "0..1", description = "What the picture shows, in quotes; or - to read "
        + "it from the standard input, where each line is the prompt of a picture.")
    private String prompt;

    @Option(names = "--prompts", paramLabel = "FILE", order = HelpLayout.PICTURE + 8,
        description = "Draw a picture for each line of this file, as if called for each of them, but faster; empty "
            + "lines are left out.")
    private Path file;

    /** The file that is read, if there is one. */
    public List<Path> files() {
        return file == null || isStandardInput(file.toString()) ? List.of() : List.of(file);
    }

    /** Whether none is named. */
    public boolean isEmpty() {
        return prompt == null && file == null;
    }

    /** Reads the prompts, one or more. @throws InputException if there is none */
    public List<String> prompts(Terminal terminal) {
        if (prompt != null && file != null) {
            throw new InputException("there are a PROMPT and --prompts; leave out one of them");
        }
        if (isEmpty()) {
            throw new InputException("there is no PROMPT; say in quotes what the picture shows, or name a file with "
                + "--prompts (or with --class what a model of classes draws)");
        }
        if (prompt != null && !isStandardInput(prompt)) {
            return List.of(prompt);
        }
        boolean standard = file == null || isStandardInput(file.toString());
        // A mark of the byte order is no part of the first prompt.
        List<String> lines = (standard ? terminal.read() : text()).replaceFirst("^\uFEFF", "").lines()
            .map(String::strip).filter(line -> !line.isEmpty()).toList();
        if (lines.isEmpty()) {
            throw new InputException((standard ? "the standard input" : file) + " has no prompt; write one a line");
        }
        return lines;
    }

    private static boolean isStandardInput(String name) {
        return name.equals(STANDARD_INPUT);
    }

    private String text() {
        try {
            return InputFile.text(file, MOST_BYTES);
        } catch (IOException unreadable) {
            throw new InputException(unreadable.getMessage() + "; name another file with --prompts", unreadable);
        }
    }
}
