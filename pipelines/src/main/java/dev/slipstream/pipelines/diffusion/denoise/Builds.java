package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.provider.Closer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Things that are built at the same time. When one fails, those that have not begun are left out, and all others are
 * waited for, so that no thread builds any more when the failure is thrown. One thread starts them and asks for the
 * results.
 */
public final class Builds<K, V extends AutoCloseable> {
    private final Map<K, CompletableFuture<V>> started = new LinkedHashMap<>();
    private final Map<K, V> built = new LinkedHashMap<>();
    private volatile boolean failed;

    /** A thread for one thing. @param what to call it after */
    public static Executor thread(String what) {
        return task -> Thread.ofPlatform().daemon().name("build " + what).start(task);
    }

    public boolean contains(K key) {
        return started.containsKey(key);
    }

    /** Begins to build one, which may itself wait for the futures of those that were started before. */
    public CompletableFuture<V> start(K key, Executor where, Supplier<? extends V> build) {
        CompletableFuture<V> future = new CompletableFuture<>();
        started.put(key, future);
        try {
            where.execute(() -> {
                try {
                    if (failed) {
                        throw new CancellationException("not begun, as another one failed");
                    }
                    future.complete(build.get());
                } catch (Throwable failure) {
                    fail(future, failure);
                }
            });
        } catch (RuntimeException | Error noThread) {
            fail(future, noThread);
        }
        return future;
    }

    private void fail(CompletableFuture<V> future, Throwable failure) {
        failed = true;
        future.completeExceptionally(failure);
    }

    /** Waits for all. @return what failed first, with the others suppressed; null if nothing did */
    public Throwable failure() {
        Throwable first = null;
        for (Map.Entry<K, CompletableFuture<V>> entry : started.entrySet()) {
            try {
                built.put(entry.getKey(), entry.getValue().join());
            } catch (CompletionException | CancellationException thrown) {
                first = first(first, origin(thrown));
            }
        }
        return first;
    }

    private static Throwable origin(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? origin(failure.getCause())
            : failure;
    }

    /** To be left out is no reason beside what failed. */
    private static Throwable first(Throwable first, Throwable next) {
        if (first == null || first instanceof CancellationException) {
            return next;
        }
        if (next != first && !(next instanceof CancellationException)) {
            first.addSuppressed(next);
        }
        return first;
    }

    /** What has been built, after {@link #failure}. */
    public Map<K, V> built() {
        return built;
    }

    /** Waits for all. @throws RuntimeException or Error what failed first; then the rest is freed again */
    public Map<K, V> allOrNone() {
        Throwable failure = failure();
        if (failure != null) {
            throw freed(failure);
        }
        return built;
    }

    /** Frees what has been built after a failure, and gives that back to be thrown. */
    public RuntimeException freed(Throwable failure) {
        try {
            Closer.closeAll(built.values());
        } catch (RuntimeException | Error second) {
            failure.addSuppressed(second);
        }
        if (failure instanceof Error error) {
            throw error;
        }
        return (RuntimeException) failure;
    }
}
