package dev.slipstream.samples.latents;

import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.samples.terminal.HelpLayout;
import dev.slipstream.samples.terminal.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The group of commands about the cache of latents; by itself it does nothing. */
@Command(name = "cache", description = {"Shows, checks, measures for or empties the cache of latents.",
    "Programs that ask for it keep latents there, from which later requests that say the same go on."},
    footer = {"",
        "Examples:",
        "  slipstream cache list",
        "  slipstream cache stats",
        "  slipstream cache clear tenant-7",
        "",
        "'slipstream cache COMMAND --help' tells more."})
public final class CacheCommand {
    /** Which cache: what all commands of the group have. */
    static final class Folder {
        @Option(names = "--folder", paramLabel = "DIR", order = HelpLayout.OWN + 1,
            description = "The folder of the cache. Without it that in the user's cache.")
        private Path folder;

        Path path() {
            return folder != null ? folder : LatentCache.defaultFolder();
        }

        /** Empty if there is none; looking for one makes none. @throws InputException if it is no folder */
        Optional<LatentCache> cache() {
            if (Files.exists(path()) && !Files.isDirectory(path())) {
                throw new InputException("there is no cache of latents at " + path() + ", which is a file; give a "
                    + "folder with --folder DIR");
            }
            return Files.exists(path()) ? Optional.of(new LatentCache(path(), LatentCache.DEFAULT_MAX_BYTES))
                : Optional.empty();
        }
    }
}
