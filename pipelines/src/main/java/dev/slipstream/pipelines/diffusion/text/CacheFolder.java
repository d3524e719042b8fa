package dev.slipstream.pipelines.diffusion.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Where programs keep what they can make again: each operating system has its place for it.
 *
 * @param temporary whether it is for this process only, which is to delete it
 */
public record CacheFolder(Path path, boolean temporary) {

    /** The folder for Slipstream, made if need be; where the user's cannot be written, a new temporary one. */
    public static CacheFolder ofUser() throws IOException {
        Path folder = usual().resolve("slipstream");
        try {
            Files.createDirectories(folder);
            if (Files.isWritable(folder)) {
                return new CacheFolder(folder, false);
            }
        } catch (IOException e) {
            // A container may have no home at all; then the temporary folder below serves this process.
        }
        return new CacheFolder(Files.createTempDirectory("slipstream"), true);
    }

    private static Path usual() {
        Path home = Path.of(System.getProperty("user.home"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (system.startsWith("win")) {
            return environment("LOCALAPPDATA").orElse(home.resolve("AppData").resolve("Local"));
        }
        if (system.startsWith("mac")) {
            return home.resolve("Library").resolve("Caches");
        }
        return environment("XDG_CACHE_HOME").orElse(home.resolve(".cache"));
    }

    private static Optional<Path> environment(String name) {
        return Optional.ofNullable(System.getenv(name)).map(Path::of).filter(Path::isAbsolute);
    }
}
