package dev.slipstream.bridge.provider;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;

/**
 * Things that close together: the last made first, and all of them, whatever one of them throws. One thread at a time
 * may use it.
 */
public final class Closer implements AutoCloseable {
    private final Deque<AutoCloseable> things = new ArrayDeque<>();

    /** From now on it closes this, too. @return {@code made} */
    public <T extends AutoCloseable> T own(T made) {
        things.push(made);
        return made;
    }

    public boolean isEmpty() {
        return things.isEmpty();
    }

    /** Closes things that have no other owner, the last first. */
    public static void closeAll(Collection<? extends AutoCloseable> things) {
        Closer owned = new Closer();
        things.forEach(owned::own);
        owned.close();
    }

    /** Closes after a failure, which keeps the first place; what closing adds is suppressed by it. */
    public void closeAfter(Throwable cause) {
        try {
            close();
        } catch (RuntimeException | Error second) {
            cause.addSuppressed(second);
        }
    }

    @Override
    public void close() {
        Throwable first = null;
        while (!things.isEmpty()) {
            try {
                things.pop().close();
            } catch (Throwable failure) {
                if (first == null) {
                    first = failure;
                } else if (failure != first) {
                    first.addSuppressed(failure);
                }
            }
        }
        switch (first) {
            case null -> {
            }
            case RuntimeException same -> throw same;
            case Error error -> throw error;
            default -> throw new IllegalStateException(first);
        }
    }
}
