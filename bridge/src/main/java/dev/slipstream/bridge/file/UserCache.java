package dev.slipstream.bridge.file;

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
     * {@code %LOCALAPPDATA%\slipstream} on Windows.
     */
    public static Path folder() {
        return usual().resolve("slipstream");
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

    /** The XDG specification wants relative paths to be ignored. */
    private static Optional<Path> environment(String name) {
        return Optional.ofNullable(System.getenv(name)).map(Path::of).filter(Path::isAbsolute);
    }
}
