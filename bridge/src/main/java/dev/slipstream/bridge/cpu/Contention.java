package dev.slipstream.bridge.cpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether others want the cores on which a thread works, by how long it was ready and had none, as Linux counts it.
 * Where the system does not tell, all cores are taken for free. One thread at a time asks; it must be the one that
 * works.
 */
final class Contention implements AutoCloseable {
    /** In nanoseconds: time on a core, time ready and without a core, and the number of turns. */
    private static final Path COUNTERS = Path.of("/proc/thread-self/schedstat");
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** Of the time that it wanted a core. A thread that is woken on a free core waits for some hundredths. */
    private static final double MOST_WAITING = 0.12;
    /** So many intervals in a row must be calm before the cores are free. */
    private static final int CALM = 2;

    private final Path file;
    private final LongSupplier nanos;
    private final boolean told;
    private final ByteBuffer text = ByteBuffer.allocateDirect(128);
    private Thread thread;
    private FileChannel counters;
    private long asked;
    private long ran;
    private long waited;
    private int calm;

    Contention() {
        this(COUNTERS, System::nanoTime);
    }

    /** @param file of the counters, which need not be there */
    Contention(Path file, LongSupplier nanos) {
        this.file = file;
        this.nanos = nanos;
        this.told = Files.isReadable(file);
    }

    /** Asked before each piece of work. */
    boolean coresAreFree() {
        if (!told) {
            return true;
        }
        long now = nanos.getAsLong();
        if (Thread.currentThread() != thread) {
            close();
            thread = Thread.currentThread();
            read();
            asked = now;
        } else if (now - asked >= INTERVAL_NANOS) {
            long ranBefore = ran;
            long waitedBefore = waited;
            calm = read() && waited - waitedBefore <= MOST_WAITING * (ran - ranBefore + waited - waitedBefore)
                ? calm + 1 : 0;
            asked = now;
        }
        return calm >= CALM;
    }

    /** Notes the counters; false if they cannot be read. */
    private boolean read() {
        try {
            if (counters == null) {
                counters = FileChannel.open(file, StandardOpenOption.READ);
            }
            counters.read(text.clear(), 0);
            text.flip();
            ran = number();
            waited = number();
            return true;
        } catch (IOException unreadable) {
            return false;
        }
    }

    private long number() {
        long number = 0;
        while (text.hasRemaining()) {
            byte digit = text.get();
            if (digit < '0' || digit > '9') {
                break;
            }
            number = 10 * number + digit - '0';
        }
        return number;
    }

    @Override
    public void close() {
        calm = 0;
        thread = null;
        if (counters != null) {
            try {
                counters.close();
            } catch (IOException harmless) {
                // It was only read.
            }
            counters = null;
        }
    }
}
