package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder for plain files in {@code java.io.tmpdir} that only this user may enter. It is deleted when it is closed, at
 * the latest when Java ends; what a killed process left, the next one deletes. Any thread may close it.
 */
public final class TemporaryFolder implements AutoCloseable {
    private static final String PREFIX = "slipstream-tmp-";
    /** Its lock tells folders in use from those whose process is dead. */
    private static final String IN_USE = "in-use";

    private final Path path;
    private final KeyLock lock;
    private final Thread atExit;

    private TemporaryFolder(Path path, KeyLock lock) {
        this.path = path;
        this.lock = lock;
        this.atExit = new Thread(this::delete, "deletes " + path);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /**
     * Makes a new one.
     *
     * @param purpose a word for its name, so that people can tell what it is
     */
    public static TemporaryFolder create(String purpose) throws IOException {
        sweep();
        while (true) {
            Path path = Files.createTempDirectory(PREFIX + purpose + "-");
            try {
                return new TemporaryFolder(path, KeyLock.acquire(path.resolve(IN_USE)));
            } catch (NoSuchFileException swept) {
                if (Files.exists(path)) {
                    throw swept;
                }
                // Another process has taken the folder, which was not locked yet, for an abandoned one.
            }
        }
    }

    /** Deletes the folders of this user's processes that ended without doing so. Does as much as it can. */
    public static void sweep() {
        Path parent = Path.of(System.getProperty("java.io.tmpdir"));
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path folder : folders) {
                sweep(folder);
            }
        } catch (IOException unreadable) {
            // Then nothing can be swept, nor made.
        }
    }

    private static void sweep(Path folder) {
        try {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !isOurs(folder)) {
                return;
            }
            Optional<KeyLock> lock = KeyLock.tryAcquire(folder.resolve(IN_USE));
            if (lock.isPresent()) {
                delete(folder, lock.get());
            }
        } catch (IOException foreign) {
            // It takes room and does no other harm.
        }
    }

    /** What we can lock is ours, unless we are root, to whom any user could offer a folder of links to delete. */
    private static boolean isOurs(Path folder) throws IOException {
        Path probe = Files.createTempFile(PREFIX, ".owner");
        try {
            UserPrincipal owner = Files.getOwner(probe);
            return owner.equals(Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS));
        } finally {
            Files.delete(probe);
        }
    }

    public Path path() {
        return path;
    }

    private static void delete(Path folder, KeyLock lock) throws IOException {
        try (lock; Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> !file.getFileName().toString().startsWith(IN_USE)).toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }

    private void delete() {
        try {
            delete(path, lock);
        } catch (IOException stillUsed) {
            // Windows keeps the file of a loaded library; the next process sweeps it.
        }
    }

    @Override
    public void close() {
        try {
            if (Runtime.getRuntime().removeShutdownHook(atExit)) {
                delete();
            }
        } catch (IllegalStateException ending) {
            // It is being deleted already.
        }
    }
}
