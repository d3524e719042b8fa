package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes a file so that others see all of it or nothing: into a temporary neighbour, which is then moved over it. */
public final class AtomicFile {
    private static final Pattern NEIGHBOUR =
        Pattern.compile("\\.(.+)\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");

    private AtomicFile() {
    }

    /** What goes into the file. */
    @FunctionalInterface
    public interface Contents {
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Replaces {@code file}, or makes it. If this fails, an older file is still there, and nothing else is.
     *
     * @throws IOException in one sentence, if the folder is missing or not writable, or the target is not a plain file
     */
    public static void write(Path file, Contents contents) throws IOException {
        Path target = file.toAbsolutePath();
        checkTarget(target);
        Path temporary = neighbour(target);
        try (Unfinished _ = new Unfinished(() -> Files.deleteIfExists(temporary))) {
            try (FileChannel channel =
                FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                lock(channel);
                contents.writeTo(channel);
                channel.force(true);
            }
            move(temporary, target);
        } catch (IOException e) {
            throw new IOException("cannot write " + target + ": " + FileFailure.reason(e), e);
        }
    }

    /** Replaces {@code file} by a text in UTF-8, or makes it; else as {@link #write(Path, Contents)}. */
    public static void write(Path file, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        write(file, channel -> {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    /** Marks a file as being written; what a killed process has left has no lock. @return whether the lock was free */
    private static boolean lock(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException ours) {
            return false;
        } catch (IOException noLocksHere) {
            return false;
        }
    }

    /** Deletes what killed processes have left of files in a folder. Does as much as it can. */
    private static void sweep(Path folder, Set<Path> targets) {
        try (DirectoryStream<Path> rests = Files.newDirectoryStream(folder,
            entry -> targetOf(entry).filter(targets::contains).isPresent())) {
            for (Path rest : rests) {
                if (Files.isRegularFile(rest, LinkOption.NOFOLLOW_LINKS)) {
                    try (FileChannel channel = FileChannel.open(rest, StandardOpenOption.WRITE)) {
                        if (lock(channel)) {
                            Files.deleteIfExists(rest);
                        }
                    }
                }
            }
        } catch (IOException | DirectoryIteratorException unreadable) {
            // It takes room and does no other harm.
        }
    }

    /**
     * Finds out now whether {@link #write} could write the file later, by making an empty neighbour and deleting it:
     * permissions alone do not tell that a file system is read-only. What is there stays as it is, but for what killed
     * processes have left of this file.
     *
     * @throws IOException in one sentence, as {@link #write}
     */
    public static void checkWritable(Path file) throws IOException {
        checkWritable(List.of(file));
    }

    /** The same for several files; each of their folders is looked through once. */
    public static void checkWritable(Collection<Path> files) throws IOException {
        Map<Path, Set<Path>> folders = new LinkedHashMap<>();
        for (Path file : files) {
            Path target = file.toAbsolutePath();
            checkTarget(target);
            folders.computeIfAbsent(target.getParent(), folder -> new LinkedHashSet<>()).add(target);
        }
        for (Map.Entry<Path, Set<Path>> folder : folders.entrySet()) {
            sweep(folder.getKey(), folder.getValue());
            // What the file system takes under the longest name, it takes under the others.
            Path longest = Collections.max(folder.getValue(), Comparator.comparingInt(it -> it.toString().length()));
            try {
                Files.delete(Files.createFile(neighbour(longest)));
            } catch (IOException e) {
                throw new IOException("cannot write " + longest + ": " + FileFailure.reason(e), e);
            }
        }
    }

    /** Not Files.createTempFile: its files are readable by their owner only, and the finished one would be, too. */
    private static Path neighbour(Path target) {
        return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    }

    /**
     * The file that a temporary neighbour was to become, which a writer that was killed has left; empty if this is not
     * the name of one.
     */
    public static Optional<Path> targetOf(Path neighbour) {
        Matcher name = NEIGHBOUR.matcher(neighbour.getFileName().toString());
        return name.matches() ? Optional.of(neighbour.resolveSibling(name.group(1))) : Optional.empty();
    }

    private static void checkTarget(Path target) throws IOException {
        if (target.getFileName() == null || Files.isDirectory(target)) {
            throw new IOException("cannot write " + target + ": it is a folder; give the name of a file in it");
        }
        if (Files.isSymbolicLink(target) && !Files.exists(target)) {
            throw new IOException("cannot write " + target + ": it is a link to " + Files.readSymbolicLink(target)
                + ", which is missing");
        }
        // Moving over a device or a pipe would replace it.
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new IOException("cannot write " + target + ": it is not a plain file");
        }
        if (!Files.isDirectory(target.getParent())) {
            throw new IOException("cannot write " + target + ": there is no folder " + target.getParent());
        }
        if (!Files.isWritable(target.getParent())) {
            throw new IOException(
                "cannot write " + target + ": no permission to write in the folder " + target.getParent());
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
