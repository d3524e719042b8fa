package dev.slipstream.bridge.file;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Native libraries that jars carry, unpacked into folders from which they can be loaded: one folder for each version,
 * which is unpacked once and compared with its jar at each start. What is damaged is replaced, several processes may
 * start at once, and what killed ones left is cleared away.
 */
public final class LibraryCache {
    private static final Logger LOG = LoggerFactory.getLogger(LibraryCache.class);
    /** Of one name. Programs with different versions may take turns, and none is kept for ever. */
    private static final int KEPT_VERSIONS = 3;
    /** Unpacking more takes so long that a user wants to know what happens. */
    private static final long LONG_BYTES = 256L << 20;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private final Path cache;

    /** @param cache need not exist */
    public LibraryCache(Path cache) {
        this.cache = cache.toAbsolutePath();
    }

    /** The one in {@link UserCache}. */
    public static LibraryCache ofUser() {
        return new LibraryCache(UserCache.folder());
    }

    /**
     * A folder with the libraries that lie beside one of them: their own, if they are files already, else one in the
     * cache. Empty if they are elsewhere than in files and jars.
     *
     * @param name what the folder's name begins with
     * @param library one of them
     * @param needed which of them, by their names
     * @throws IOException in one sentence, if the cache cannot be used
     */
    public Optional<Path> folder(String name, URL library, Predicate<String> needed) throws IOException {
        if (library.getProtocol().equals("file")) {
            return Optional.of(Path.of(URI.create(library.toString())).getParent());
        }
        Optional<JarLibraries> inJar = JarLibraries.beside(library, needed);
        if (inJar.isEmpty()) {
            return Optional.empty();
        }
        try (JarLibraries libraries = inJar.get()) {
            return Optional.of(folder(name, libraries));
        }
    }

    private Path folder(String name, JarLibraries libraries) throws IOException {
        Path folder = cache.resolve(name + "-" + libraries.fingerprint());
        makeOwn(folder);
        boolean whole = libraries.areIn(folder);
        if (!whole || hasRests(folder)) {
            Optional<KeyLock> lock = whole ? KeyLock.tryAcquire(folder) : Optional.of(KeyLock.acquire(folder));
            if (lock.isPresent()) {
                try (KeyLock _ = lock.get()) {
                    clear(folder);
                    if (!libraries.areIn(folder)) {
                        LOG.atLevel(libraries.bytes() > LONG_BYTES ? Level.INFO : Level.DEBUG)
                            .log("unpacking {} ({} MB) to {}", name, libraries.bytes() / 1_000_000, folder);
                        libraries.unpack(folder);
                    }
                }
            }
            forgetOld(name, folder);
        }
        touch(folder);
        return folder;
    }

    /** No other user may write there. A process that may enter a folder of mode 700 is its owner's. */
    private static void makeOwn(Path folder) throws IOException {
        boolean posix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(folder);
        }
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder + " is no folder");
        }
        if (posix && !Files.getPosixFilePermissions(folder).equals(OWNER_ONLY)) {
            Files.getFileAttributeView(folder, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .setPermissions(OWNER_ONLY);
        }
    }

    private static List<Path> rests(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> AtomicFile.targetOf(file).isPresent()).toList();
        }
    }

    /** Whether one who unpacked was killed, or is at work. */
    private static boolean hasRests(Path folder) throws IOException {
        return KeyLock.exists(folder) || !rests(folder).isEmpty();
    }

    private static void clear(Path folder) throws IOException {
        for (Path rest : rests(folder)) {
            Files.deleteIfExists(rest);
        }
    }

    /** So that others see that this version is in use. */
    private static void touch(Path folder) {
        try {
            Files.setLastModifiedTime(folder, FileTime.from(Instant.now()));
        } catch (IOException readOnly) {
            // It looks older than it is.
        }
    }

    private void forgetOld(String name, Path current) {
        record Version(Path folder, FileTime used) {
        }
        List<Version> others = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, name + "-" + "[0-9a-f]".repeat(8))) {
            for (Path folder : folders) {
                if (!folder.equals(current)) {
                    others.add(new Version(folder, Files.getLastModifiedTime(folder)));
                }
            }
            others.sort(Comparator.comparing(Version::used).reversed());
            for (Version old : others.subList(Math.min(others.size(), KEPT_VERSIONS - 1), others.size())) {
                delete(old.folder());
            }
        } catch (IOException inUse) {
            LOG.debug("old versions of {} stay in {}: {}", name, cache, inUse.getMessage());
        }
    }

    private static void delete(Path folder) throws IOException {
        Optional<KeyLock> lock = KeyLock.tryAcquire(folder);
        if (lock.isPresent()) {
            try (KeyLock _ = lock.get(); Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.deleteIfExists(file);
                }
                Files.deleteIfExists(folder);
            } catch (NoSuchFileException gone) {
                // Another process was faster.
            }
        }
    }
}
