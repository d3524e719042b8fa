package dev.slipstream.samples;

import dev.slipstream.bridge.store.EngineStore;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which store of engines. */
final class StoreOptions {
    @Option(names = "--store", paramLabel = "DIR", order = 5,
        description = "The folder of the store. Without it what the system property " + EngineStore.FOLDER_PROPERTY
            + " or the variable " + EngineStore.FOLDER_VARIABLE + " says, else the user's cache.")
    private Path folder;

    Path path() {
        return folder != null ? folder : EngineStore.defaultFolder();
    }

    /** @throws InputException if it is no folder */
    EngineStore store() {
        if (Files.exists(path()) && !Files.isDirectory(path())) {
            throw new InputException("there is no engine store at " + path() + ", which is a file; give a folder with "
                + "--store DIR");
        }
        return new EngineStore(path(), EngineStore.DEFAULT_MAX_BYTES);
    }
}
