package dev.slipstream.bridge.provider;

import java.util.ArrayDeque;
import java.util.Deque;

/** Things that close together: the last made first, and all of them, whatever one of them throws. */
public final class Owned implements AutoCloseable {
    private final Deque<AutoCloseable> things = new ArrayDeque<>();

    public <T extends AutoCloseable> T own(T made) {
        things.push(made);
        return made;
    }

    /** Closes after a failure, which keeps the first place; what closing adds is suppressed by it. */
    public void closeAfter(Throwable cause) {
        try {
            close();
        } catch (RuntimeException second) {
            cause.addSuppressed(second);
        }
    }

    @Override
    public void close() {
        RuntimeException first = null;
        while (!things.isEmpty()) {
            try {
                things.pop().close();
            } catch (Exception failure) {
                RuntimeException it =
                    failure instanceof RuntimeException same ? same : new IllegalStateException(failure);
                if (first == null) {
                    first = it;
                } else {
                    first.addSuppressed(it);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
