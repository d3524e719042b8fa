package dev.slipstream.bridge.file;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/**
 * File channels close themselves when their thread is interrupted. An interruption is meant for what the thread does
 * next, not for the engine that it loads, so work on files is done over, and the flag is set again in the end.
 */
public final class Uninterrupted {
    private Uninterrupted() {
    }

    /** Work on files that can be repeated from its beginning. */
    @FunctionalInterface
    public interface Work<T> {
        T run() throws IOException;
    }

    public static <T> T io(Work<T> work) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return work.run();
                } catch (IOException failure) {
                    if (!isInterruption(failure)) {
                        throw failure;
                    }
                    Thread.interrupted();
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean isInterruption(IOException failure) {
        return failure instanceof ClosedByInterruptException
            || failure.getCause() instanceof ClosedByInterruptException;
    }
}
