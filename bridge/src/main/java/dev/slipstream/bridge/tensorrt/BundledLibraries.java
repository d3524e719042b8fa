package dev.slipstream.bridge.tensorrt;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TensorRT's libraries in an artifact on the class path. They are unpacked side by side, as they look for each other
 * there, once for each version of the artifact, and appear all at once or not at all.
 */
final class BundledLibraries {
    private static final Logger LOGGER = LoggerFactory.getLogger(BundledLibraries.class);
    private static final Pattern NEEDED = Pattern.compile(
        "(libnvinfer|libnvonnxparser|libnvinfer_builder_resource\\w*)\\.so[.\\d]*");

    private final ClassLoader classPath;
    private final String resources;
    private final Path cache;

    /** @param platform like {@code linux-x86_64} */
    BundledLibraries(ClassLoader classPath, String platform, Path cache) {
        this.classPath = classPath;
        this.resources = "org/bytedeco/tensorrt/" + platform + "/";
        this.cache = cache;
    }

    /**
     * The folder of the unpacked libraries; empty if there is no such artifact.
     *
     * @throws UncheckedIOException if they cannot be unpacked
     */
    Optional<Path> folder() {
        Optional<URL> library = Stream.of("10", "11").map(major -> resources + "libnvinfer.so." + major)
            .flatMap(name -> Stream.ofNullable(classPath.getResource(name))).findFirst();
        try {
            return library.isEmpty() ? Optional.empty() : Optional.of(folderOf(library.get()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure.getMessage(), failure);
        }
    }

    private Path folderOf(URL library) throws IOException {
        URLConnection connection = library.openConnection();
        if (!(connection instanceof JarURLConnection inJar)) {
            return Path.of(URI.create(library.toString())).getParent();
        }
        inJar.setUseCaches(false);
        try (JarFile jar = inJar.getJarFile()) {
            List<JarEntry> needed = jar.stream().filter(this::isNeeded)
                .sorted(Comparator.comparing(JarEntry::getName)).toList();
            Path folder = cache.resolve("tensorrt-" + fingerprint(needed));
            if (!Files.isDirectory(folder)) {
                LOGGER.info("unpacking TensorRT ({} MB) to {}",
                    needed.stream().mapToLong(JarEntry::getSize).sum() / 1_000_000, folder);
                unpack(jar, needed, folder);
            }
            return folder;
        }
    }

    private boolean isNeeded(JarEntry entry) {
        return entry.getName().startsWith(resources)
            && NEEDED.matcher(entry.getName().substring(resources.length())).matches();
    }

    /** Of names, sizes and checksums, which the artifact lists: the libraries need not be read for it. */
    private static String fingerprint(List<JarEntry> entries) {
        CRC32 sum = new CRC32();
        entries.forEach(entry -> sum.update((entry.getName() + " " + entry.getSize() + " " + entry.getCrc() + "\n")
            .getBytes(StandardCharsets.UTF_8)));
        return String.format("%08x", sum.getValue());
    }

    private void unpack(JarFile jar, List<JarEntry> entries, Path folder) throws IOException {
        Files.createDirectories(cache);
        Path temporary = Files.createTempDirectory(cache, "tensorrt-unpacking");
        try {
            for (JarEntry entry : entries) {
                try (InputStream in = jar.getInputStream(entry)) {
                    Files.copy(in, temporary.resolve(entry.getName().substring(resources.length())));
                }
            }
            Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException impossible) {
            throw impossible;
        } catch (FileSystemException failure) {
            // Another process may have been faster.
            if (!Files.isDirectory(folder)) {
                throw failure;
            }
        } finally {
            delete(temporary);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
