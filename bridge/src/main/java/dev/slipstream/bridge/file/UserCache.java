package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Where programs keep what they can make again: each operating system has its place for it. */
public final class UserCache {
    private UserCache() {
    }

    /**
     * Slipstream's folder there, which need not exist: {@code $XDG_CACHE_HOME/slipstream} or
     * {@code ~/.cache/slipstream} on Linux, {@code ~/Library/Caches/slipstream} on macOS,
     * {@code %LOCALAPPDATA%\slipstream} on Windows. Where the user has no home, or it cannot be written, a folder in
     * {@code java.io.tmpdir} that is this user's alone.
     */
    public static Path folder() {
        Path usual = usual();
        return usual.isAbsolute() && canHold(usual) ? usual.resolve("slipstream") : Homeless.FOLDER;
    }

    /** Whether the folder could be made, if it is not there. */
    private static boolean canHold(Path folder) {
        for (Path above = folder; above != null; above = above.getParent()) {
            if (Files.exists(above)) {
                return Files.isDirectory(above) && Files.isWritable(above);
            }
        }
        return false;
    }

    /** For users without a home, as in some containers. One a process, as it may have to be made. */
    private static final class Homeless {
        private static final Path FOLDER = folder();

        /** In the temporary folder, where others must not have put theirs for us. */
        private static Path folder() {
            try {
                Path mine = Files.createTempDirectory("slipstream-");
                Path kept = mine.resolveSibling("slipstream-cache-" + Files.getOwner(mine).getName());
                if (!Files.exists(kept, LinkOption.NOFOLLOW_LINKS)) {
                    // Only this user may enter what createTempDirectory makes.
                    return Files.move(mine, kept);
                }
                boolean ours = Files.getOwner(kept, LinkOption.NOFOLLOW_LINKS).equals(Files.getOwner(mine))
                    && Files.isDirectory(kept, LinkOption.NOFOLLOW_LINKS) && Files.getPosixFilePermissions(kept)
                        .equals(Files.getPosixFilePermissions(mine));
                if (ours) {
                    Files.delete(mine);
                }
                return ours ? kept : mine;
            } catch (IOException | UnsupportedOperationException noTemporaryFolder) {
                return Path.of(System.getProperty("java.io.tmpdir"), "slipstream-cache");
            }
        }
    }

    private static Path usual() {
        Path home = Path.of(System.getProperty("user.home", "?"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (system.startsWith("win")) {
            return environment("LOCALAPPDATA").orElse(home.resolve("AppData").resolve("Local"));
        }
        if (system.startsWith("mac")) {
            return home.resolve("Library").resolve("Caches");
        }
        return environment("XDG_CACHE_HOME").orElse(home.resolve(".cache"));
    }

    /** The XDG specification wants relative paths to be ignored. */
    private static Optional<Path> environment(String name) {
        return Optional.ofNullable(System.getenv(name)).map(Path::of).filter(Path::isAbsolute);
    }
}
