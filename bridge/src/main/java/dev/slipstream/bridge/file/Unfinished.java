package dev.slipstream.bridge.file;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A file or folder that is being written under a temporary name. It is deleted when this is closed, unless it has got
 * its own name by then, and also where the process ends before that, as by a signal. Any thread may close it.
 */
public final class Unfinished implements AutoCloseable {
    /** How long the end of the process waits for a writer that has nearly finished. */
    private static final int PATIENCE_SECONDS = 1;

    private final Deletion deletion;
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread atExit = new Thread(this::shutDown, "delete unfinished files");

    /** Deletes it, if it is there. */
    @FunctionalInterface
    public interface Deletion {
        void run() throws IOException;
    }

    /** Call it before anything is written. */
    public Unfinished(Deletion deletion) {
        this.deletion = deletion;
        try {
            Runtime.getRuntime().addShutdownHook(atExit);
        } catch (IllegalStateException ending) {
            // Who begins now has a shutdown hook of its own, which waits.
        }
    }

    private void shutDown() {
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                delete();
            }
        } catch (InterruptedException hurried) {
            delete();
        }
    }

    private void delete() {
        try {
            deletion.run();
        } catch (IOException e) {
            // Why it could not be written matters more, and is on its way.
        }
    }

    @Override
    public void close() {
        delete();
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException ending) {
            // It has found the work done.
        }
    }
}
