package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The right to make one file or folder, which at most one thread of all processes has. It ends with its process,
 * however that ends. Any thread may close it.
 */
public final class KeyLock implements AutoCloseable {
    /**
     * Lock files that this process has open. File locks belong to a process, and POSIX gives up all of them on a file
     * when the process closes any of its channels to it; so a second one must not even be opened. This is the one fact
     * here that is the process's own, hence static.
     */
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private static final String ENDING = ".lock";
    /** Building takes seconds at least. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final Path file;
    private final FileChannel channel;

    private KeyLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Waits until it is free. It asks again and again, as the system's own waiting refuses what looks like a deadlock
     * to it: two processes that each hold one lock while another of their threads waits for a second.
     *
     * @throws IOException if the lock file cannot be made
     */
    public static KeyLock acquire(Path target) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                interrupted |= Thread.interrupted();
                Optional<KeyLock> lock = tryAcquire(target);
                if (lock.isPresent()) {
                    return lock.get();
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Takes it if it is free. */
    public static Optional<KeyLock> tryAcquire(Path target) throws IOException {
        Path file = fileOf(target);
        if (!OPEN.add(file)) {
            return Optional.empty();
        }
        FileChannel channel = null;
        boolean taken = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS);
            // A file with a byte in it was given up and deleted between being opened and being locked here.
            taken = channel.tryLock() != null && channel.size() == 0;
            return taken ? Optional.of(new KeyLock(file, channel)) : Optional.empty();
        } catch (ClosedByInterruptException interruption) {
            return Optional.empty();
        } finally {
            if (!taken) {
                release(file, channel);
            }
        }
    }

    /** What a lock file is the lock of; empty if this is not the name of one. */
    public static Optional<Path> targetOf(Path lockFile) {
        String name = lockFile.getFileName().toString();
        return name.endsWith(ENDING) && name.length() > ENDING.length()
            ? Optional.of(lockFile.resolveSibling(name.substring(0, name.length() - ENDING.length())))
            : Optional.empty();
    }

    /** Whether there is a lock file: the lock is held, or its holder was killed. */
    static boolean exists(Path target) throws IOException {
        return Files.exists(fileOf(target));
    }

    private static Path fileOf(Path target) throws IOException {
        // However the folder was written: two names for one file must be one entry of OPEN.
        return target.getParent().toRealPath().resolve(target.getFileName() + ENDING);
    }

    private static void release(Path file, FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            OPEN.remove(file);
        }
    }

    /** Gives it back, and leaves no file. */
    @Override
    public void close() throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            // In this order: a thread that opened the file before it is deleted finds the byte and opens the next one.
            Files.deleteIfExists(file);
            channel.write(ByteBuffer.allocate(1));
        } catch (ClosedByInterruptException interruption) {
            // Just now. Who waited on the deleted file may then build once too often, which does no harm.
            interrupted = true;
        } finally {
            release(file, channel);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
