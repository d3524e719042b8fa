package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceLostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ProgressTest {
    private final Executor threads = task -> Thread.ofPlatform().daemon().start(task);
    private final Progress progress = new Progress();

    @Test
    void whatIsReachedNeedsNoWait() {
        progress.advance(3);
        assertTrue(progress.await(3, 0, new Progress.Waiter()));
        assertFalse(progress.await(4, 0, new Progress.Waiter()));
        assertFalse(progress.await(4, TimeUnit.MICROSECONDS.toNanos(100), new Progress.Waiter()));
    }

    @Test
    void twoThreadsThatTakeTurnsNeverLoseAWakeUp() {
        int turns = 20_000;
        Progress answers = new Progress();
        CompletableFuture<Void> partner = CompletableFuture.runAsync(() -> {
            Progress.Waiter waiter = new Progress.Waiter();
            for (int i = 1; i <= turns; i++) {
                progress.await(i, Progress.FOREVER, waiter);
                answers.advance(i);
            }
        }, threads);
        Progress.Waiter waiter = new Progress.Waiter();
        for (int i = 1; i <= turns; i++) {
            progress.advance(i);
            answers.await(i, Progress.FOREVER, waiter);
        }
        partner.join();
    }

    @Test
    void oneWhoGivesUpDoesNotTakeTheWakeUpOfAnother() {
        int turns = 30_000;
        Progress answers = new Progress();
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> impatient = CompletableFuture.runAsync(() -> {
            Progress.Waiter waiter = new Progress.Waiter();
            for (long timeout = 1; !over.get(); timeout = timeout % 3_000 + 1) {
                progress.await(progress.reached() + 1, timeout, waiter);
            }
        }, threads);
        CompletableFuture<Void> partner = CompletableFuture.runAsync(() -> {
            Progress.Waiter waiter = new Progress.Waiter();
            for (int i = 1; i <= turns; i++) {
                progress.await(i, Progress.FOREVER, waiter);
                answers.advance(i);
            }
        }, threads);
        Progress.Waiter waiter = new Progress.Waiter();
        for (int i = 1; i <= turns; i++) {
            progress.advance(i);
            answers.await(i, Progress.FOREVER, waiter);
        }
        partner.join();
        over.set(true);
        impatient.join();
    }

    @Test
    void manyThreadsAreWokenEachAtItsOwnPosition() {
        int waiters = 20;
        List<CompletableFuture<Long>> results = new ArrayList<>();
        for (int i = 1; i <= waiters; i++) {
            long position = i;
            results.add(CompletableFuture.supplyAsync(() -> {
                progress.await(position, Progress.FOREVER, new Progress.Waiter());
                return progress.reached();
            }, threads));
        }
        for (int i = 1; i <= waiters; i++) {
            progress.advance(i);
            assertTrue(results.get(i - 1).join() >= i);
        }
    }

    @Test
    void anInterruptDoesNotEndTheWaitAndIsKept() throws InterruptedException {
        AtomicBoolean reached = new AtomicBoolean();
        AtomicBoolean interrupted = new AtomicBoolean();
        Thread waiting = Thread.ofPlatform().daemon().start(() -> {
            reached.set(progress.await(1, Progress.FOREVER, new Progress.Waiter()));
            interrupted.set(Thread.currentThread().isInterrupted());
        });
        waiting.interrupt();
        while (waiting.getState() == Thread.State.RUNNABLE && !reached.get()) {
            Thread.onSpinWait();
        }
        progress.advance(1);
        waiting.join();
        assertTrue(reached.get());
        assertTrue(interrupted.get());
    }

    /** Machines with few cores do not spin by themselves. */
    @Test
    void oneWhoSpinsDoesNotParkAndSeesWhatIsReached() throws Exception {
        Progress spinning = new Progress(TimeUnit.HOURS.toNanos(1));
        FutureTask<Boolean> waiting = new FutureTask<>(
            () -> spinning.await(1, Progress.FOREVER, new Progress.Waiter()));
        Thread waiter = Thread.ofPlatform().daemon().start(waiting);
        for (int seen = 0; seen < 100;) {
            List<String> stack = Arrays.stream(waiter.getStackTrace()).map(StackTraceElement::getMethodName).toList();
            assertFalse(stack.contains("park"), stack.toString());
            seen += stack.contains("await") ? 1 : 0;
        }
        spinning.advance(1);
        assertTrue(waiting.get());
    }

    @Test
    void oneWhoSpinsIsToldOfTheEnd() throws Exception {
        Progress spinning = new Progress(TimeUnit.HOURS.toNanos(1));
        FutureTask<Boolean> waiting = new FutureTask<>(
            () -> spinning.await(1, Progress.FOREVER, new Progress.Waiter()));
        Thread.ofPlatform().daemon().start(waiting);
        spinning.abandon(new DeviceLostException("gone"));
        assertFalse(waiting.get());
    }

    @Test
    void spinningEndsWithTheTimeout() {
        Progress spinning = new Progress(TimeUnit.HOURS.toNanos(1));
        assertFalse(spinning.await(1, TimeUnit.MICROSECONDS.toNanos(200), new Progress.Waiter()));
    }

    @Test
    void oneWhoHasSpunInVainParksAndIsWoken() throws Exception {
        Progress brief = new Progress(TimeUnit.MICROSECONDS.toNanos(1));
        FutureTask<Boolean> waiting = new FutureTask<>(
            () -> brief.await(1, Progress.FOREVER, new Progress.Waiter()));
        Thread waiter = Thread.ofPlatform().daemon().start(waiting);
        while (LockSupport.getBlocker(waiter) != brief) {
            Thread.onSpinWait();
        }
        brief.advance(1);
        assertTrue(waiting.get());
    }

    @Test
    void oneWhoWaitsForAWhileParksToo() throws Exception {
        Progress brief = new Progress(0);
        FutureTask<Boolean> waiting = new FutureTask<>(
            () -> brief.await(1, TimeUnit.HOURS.toNanos(1), new Progress.Waiter()));
        Thread waiter = Thread.ofPlatform().daemon().start(waiting);
        while (LockSupport.getBlocker(waiter) != brief) {
            Thread.onSpinWait();
        }
        brief.advance(1);
        assertTrue(waiting.get());
    }

    @Test
    void aTimeoutLeavesTheOthersWaiting() {
        CompletableFuture<Boolean> patient = CompletableFuture.supplyAsync(
            () -> progress.await(1, Progress.FOREVER, new Progress.Waiter()), threads);
        assertFalse(progress.await(1, TimeUnit.MILLISECONDS.toNanos(2), new Progress.Waiter()));
        progress.advance(1);
        assertTrue(patient.join());
    }
}
