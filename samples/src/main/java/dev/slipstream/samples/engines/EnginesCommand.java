package dev.slipstream.samples.engines;

import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The group of commands about the store of engines; by itself it does nothing. */
@Command(name = "engines", description = {"Shows, fills or empties the store of compiled engines.",
    "Engines for GPUs take minutes to build, so they are kept for the next start."},
    footer = {"",
        "Examples:",
        "  slipstream engines list",
        "  slipstream engines build DIR --devices cuda:0",
        "  slipstream engines clear --older-than 30",
        "",
        "'slipstream engines COMMAND --help' tells more."})
public final class EnginesCommand {
    /** Which store of engines: what all commands of the group have. */
    static final class Store {
        @Option(names = "--store", paramLabel = "DIR", order = HelpLayout.OWN + 1,
            description = "The folder of the store. Without it what the system property " + EngineStore.FOLDER_PROPERTY
                + " or the variable " + EngineStore.FOLDER_VARIABLE + " says, else the user's cache.")
        private Path folder;

        Path path() {
            return folder != null ? folder : EngineStore.defaultFolder();
        }

        /** @throws InputException if it is no folder */
        EngineStore store() {
            if (Files.exists(path()) && !Files.isDirectory(path())) {
                throw new InputException("there is no engine store at " + path() + ", which is a file; give a folder "
                    + "with --store DIR");
            }
            return new EngineStore(path(), EngineStore.DEFAULT_MAX_BYTES);
        }
    }
}
