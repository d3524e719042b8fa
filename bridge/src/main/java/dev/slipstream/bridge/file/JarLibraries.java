package dev.slipstream.bridge.file;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/** Native libraries that lie side by side in a jar, with the sizes and checksums that the jar lists. */
public final class JarLibraries implements AutoCloseable {
    /**
     * Files are compared with the jar by CRC-32, at some 3 GB/s; SHA-256 would take 0.3 s for ONNX Runtime at each
     * start. Of larger ones only the length is: TensorRT's take gigabytes, and most of that is never read.
     */
    private static final long MOST_CHECKED_BYTES = 256L << 20;
    private static final int CHUNK_BYTES = 1 << 16;

    private final JarFile jar;
    private final String folder;
    private final List<JarEntry> entries;

    private JarLibraries(JarFile jar, String folder, Predicate<String> needed) {
        this.jar = jar;
        this.folder = folder;
        this.entries = jar.stream().filter(entry -> !entry.isDirectory() && entry.getName().startsWith(folder)
            && needed.test(name(entry))).sorted(Comparator.comparing(JarEntry::getName)).toList();
    }

    /**
     * Those that lie beside one of them; empty if that is in no jar.
     *
     * @param needed which of them, by their names
     */
    public static Optional<JarLibraries> beside(URL library, Predicate<String> needed) throws IOException {
        URLConnection connection = library.openConnection();
        if (!(connection instanceof JarURLConnection inJar)) {
            return Optional.empty();
        }
        inJar.setUseCaches(false);
        String name = inJar.getEntryName();
        return Optional.of(new JarLibraries(inJar.getJarFile(), name.substring(0, name.lastIndexOf('/') + 1), needed));
    }

    private String name(JarEntry entry) {
        return entry.getName().substring(folder.length());
    }

    List<String> names() {
        return entries.stream().map(this::name).toList();
    }

    long bytes() {
        return entries.stream().mapToLong(JarEntry::getSize).sum();
    }

    /** Of names, sizes and checksums, for which the libraries need not be read. */
    String fingerprint() {
        CRC32 sum = new CRC32();
        entries.forEach(entry -> sum.update((entry.getName() + " " + entry.getSize() + " " + entry.getCrc() + "\n")
            .getBytes(StandardCharsets.UTF_8)));
        return String.format("%08x", sum.getValue());
    }

    /** Whether all of them are in a folder, as they are in the jar. */
    boolean areIn(Path target) throws IOException {
        for (JarEntry entry : entries) {
            if (!isIn(target, entry)) {
                return false;
            }
        }
        return true;
    }

    /** Writes those that a folder lacks, or has otherwise. Each appears whole or not at all. */
    void unpack(Path target) throws IOException {
        for (JarEntry entry : entries) {
            if (!isIn(target, entry)) {
                Path file = target.resolve(name(entry));
                if (Files.isSymbolicLink(file)) {
                    Files.delete(file);
                }
                AtomicFile.write(file, channel -> {
                    CheckedInputStream in = new CheckedInputStream(jar.getInputStream(entry), new CRC32());
                    try (in) {
                        in.transferTo(Channels.newOutputStream(channel));
                    }
                    if (in.getChecksum().getValue() != entry.getCrc()) {
                        throw new IOException(jar.getName() + " is damaged; download it again");
                    }
                });
            }
        }
    }

    /** Writes all of them into a new folder for this process alone. @param purpose a word for its name */
    public TemporaryFolder unpackTemporarily(String purpose) throws IOException {
        TemporaryFolder folder = TemporaryFolder.create(purpose);
        try {
            unpack(folder.path());
            return folder;
        } catch (IOException | RuntimeException | Error failure) {
            folder.close();
            throw failure;
        }
    }

    private boolean isIn(Path target, JarEntry entry) throws IOException {
        Path file = target.resolve(name(entry));
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == entry.getSize()
            && (entry.getSize() > MOST_CHECKED_BYTES || crc(file) == entry.getCrc());
    }

    private static long crc(Path file) throws IOException {
        CRC32 sum = new CRC32();
        try (InputStream in = InputFile.stream(file)) {
            byte[] chunk = new byte[CHUNK_BYTES];
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                sum.update(chunk, 0, read);
            }
        }
        return sum.getValue();
    }

    @Override
    public void close() throws IOException {
        jar.close();
    }
}
