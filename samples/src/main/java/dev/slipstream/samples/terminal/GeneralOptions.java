package dev.slipstream.samples.terminal;

import dev.slipstream.samples.settings.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The options, the exit codes and the layout of the help that all commands have. */
@Command(sortOptions = false, abbreviateSynopsis = true, synopsisHeading = "Usage: ", descriptionHeading = "%n",
    parameterListHeading = "%n", optionListHeading = "", commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n", exitCodeList = {
        " 0:fine", " 1:failed while working", " 2:wrong usage or input", "130:cancelled with Ctrl-C"})
public final class GeneralOptions {
    private static final Logger LOGGER = Logger.getLogger("dev.slipstream");

    private boolean debug;

    /** {@link Settings} reads files before all others. */
    @Option(names = Settings.CONFIG_OPTION, paramLabel = "PATH", order = HelpLayout.GENERAL,
        description = "A file: read options from it instead of the user's, as the variable "
            + Settings.CONFIG_VARIABLE + " says, too; none if it is empty. A folder: the configuration of a model that "
            + "is one file, and what the file lacks (tokenizers, encoders, a decoder). Both may be given.")
    private List<Path> config = List.of();

    @Option(names = {"-h", "--help"}, usageHelp = true, order = HelpLayout.GENERAL + 1,
        description = "Print this help and stop.")
    private boolean help;

    @Option(names = "--debug", order = HelpLayout.GENERAL + 2,
        description = "Print the trace of an error, and what the library logs on its way.")
    private void setDebug(boolean wanted) {
        debug = wanted;
        if (wanted) {
            LOGGER.setLevel(Level.FINE);
        }
    }

    /** Those of a command. */
    public static Optional<GeneralOptions> of(CommandSpec command) {
        return command.mixins().values().stream().map(CommandSpec::userObject)
            .filter(GeneralOptions.class::isInstance).map(GeneralOptions.class::cast).findFirst();
    }

    /** The folder with the configuration of a model in one file. @throws InputException if there are two */
    public Optional<Path> modelConfig() {
        List<Path> folders = config.stream().filter(Files::isDirectory).filter(path -> !path.toString().isEmpty())
            .toList();
        if (folders.size() > 1) {
            throw new InputException(Settings.CONFIG_OPTION + " names two folders, " + folders.getFirst() + " and "
                + folders.get(1) + "; a model has one configuration");
        }
        return folders.stream().findFirst();
    }

    boolean isDebug() {
        return debug;
    }
}
