package dev.slipstream.samples;

import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What every command takes, and the exit codes that every command has. */
@Command(sortOptions = false, synopsisHeading = "Usage: ", descriptionHeading = "%n", optionListHeading = "%n",
    parameterListHeading = "%n", commandListHeading = "%nCommands:%n", exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
        " 0:fine", " 1:failed while working", " 2:wrong usage or input", "130:cancelled with Ctrl-C"})
public final class GeneralOptions {
    private static final Logger LOGGER = Logger.getLogger("dev.slipstream");

    private boolean debug;

    @Option(names = {"-h", "--help"}, usageHelp = true, order = 100, description = "Print this help and stop.")
    private boolean help;

    @Option(names = "--debug", order = 101,
        description = "Print the trace of an error, and what the library logs on its way.")
    private void setDebug(boolean wanted) {
        debug = wanted;
        if (wanted) {
            LOGGER.setLevel(Level.FINE);
        }
    }

    boolean isDebug() {
        return debug;
    }
}
