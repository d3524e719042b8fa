package dev.slipstream.samples.options;

import dev.slipstream.samples.terminal.HelpLayout;
import picocli.CommandLine.Option;

/** Whether to be silent where all goes well. */
public final class QuietOption {
    @Option(names = {"-q", "--quiet"}, order = HelpLayout.OUTPUT + 50,
        description = "Print errors, warnings and what --json asks for, and nothing else.")
    private boolean quiet;

    public boolean isQuiet() {
        return quiet;
    }
}
