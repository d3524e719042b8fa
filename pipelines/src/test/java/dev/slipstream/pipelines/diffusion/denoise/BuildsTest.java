package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BuildsTest {
    private final Builds<String, Thing> builds = new Builds<>();
    private final Set<Thing> open = ConcurrentHashMap.newKeySet();

    private final class Thing implements AutoCloseable {
        private Thing() {
            open.add(this);
        }

        @Override
        public void close() {
            open.remove(this);
        }
    }

    @Test
    void whatIsBuiltIsGivenByItsKey() {
        builds.start("a", Builds.thread("a"), Thing::new);
        builds.start("b", Runnable::run, Thing::new);
        assertEquals(Set.of("a", "b"), builds.allOrNone().keySet());
        assertEquals(2, open.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"error", "exception"})
    void aFailureOnAThreadIsThrownWhenAllOthersAreDoneAndFreed(String kind) {
        Throwable failure = kind.equals("error") ? new LinkageError("no library") : new IllegalStateException("no");
        CountDownLatch failed = new CountDownLatch(1);
        builds.start("slow", Builds.thread("slow"), () -> {
            await(failed);
            return new Thing();
        });
        builds.start("broken", Builds.thread("broken"), () -> {
            failed.countDown();
            throw sneaky(failure);
        });
        assertSame(failure, assertThrows(Throwable.class, builds::allOrNone));
        assertEquals(Set.of(), open);
    }

    @Test
    void aSecondFailureIsSuppressedByTheFirstAndWhatWasNotBegunIsNone() {
        CountDownLatch both = new CountDownLatch(2);
        List<CompletableFuture<Thing>> started = new ArrayList<>();
        Error first = new LinkageError("first");
        RuntimeException second = new IllegalStateException("second");
        for (Throwable failure : List.of(first, second)) {
            started.add(builds.start(failure.getMessage(), Builds.thread(failure.getMessage()), () -> {
                both.countDown();
                await(both);
                throw sneaky(failure);
            }));
        }
        started.forEach(future -> assertThrows(CompletionException.class, future::join));
        boolean[] begun = new boolean[1];
        builds.start("late", Runnable::run, () -> {
            begun[0] = true;
            return new Thing();
        });
        assertSame(first, builds.failure());
        assertFalse(begun[0]);
        assertArrayEquals(new Throwable[] {second}, first.getSuppressed());
    }

    @Test
    void whereNoThreadCanBeMadeTheBuildFailsLikeAnyOther() {
        builds.start("a", Runnable::run, Thing::new);
        builds.start("b", task -> {
            throw new RejectedExecutionException("no threads");
        }, Thing::new);
        assertThrows(RejectedExecutionException.class, builds::allOrNone);
        assertEquals(Set.of(), open);
    }

    @Test
    void aCancelledBuildIsAFailureOnlyWhereNothingElseFails() {
        builds.start("a", Runnable::run, () -> {
            throw new CancellationException("no longer wanted");
        });
        assertInstanceOf(CancellationException.class, builds.failure());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private static RuntimeException sneaky(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return (RuntimeException) failure;
    }
}
