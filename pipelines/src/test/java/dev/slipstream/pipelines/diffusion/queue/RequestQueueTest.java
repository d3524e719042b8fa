package dev.slipstream.pipelines.diffusion.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Turns and threads, with works that only say what they do. */
@Timeout(60)
class RequestQueueTest {
    private static final int STEPS = 3;

    /** A machine with engines: it notices two at work where there may be one, and engines that go while in use. */
    private class Work implements QueuedWork {
        private final int kind;
        private final String fails;
        private final Set<String> done = ConcurrentHashMap.newKeySet();
        private final CountDownLatch encoded = new CountDownLatch(1);
        private final CountDownLatch over = new CountDownLatch(1);
        private @Nullable Throwable failure;
        private boolean freed;
        private Runnable whileLooping = () -> {
        };
        private Runnable whileEncoding = () -> {
        };

        /** @param kind of engines @param fails the part that fails, if one does */
        Work(int kind, String fails) {
            this.kind = kind;
            this.fails = fails;
        }

        private void part(String name, Set<String> before) {
            assertFalse(freed, name + " of what was freed");
            assertTrue(done.containsAll(before), name + " after " + done);
            assertTrue(atWork.add(name), "two do " + name);
            assertEquals(kind, built, "the engines are of another kind");
            assertTrue(atWork.size() <= 2, atWork::toString);
            LockSupport.parkNanos(kind == 0 ? 1 : 100_000);
            if (name.equals("encode")) {
                whileEncoding.run();
            }
            try {
                if (fails.equals(name)) {
                    throw new IllegalStateException(name);
                }
                assertTrue(done.add(name), name + " comes twice");
            } finally {
                atWork.remove(name);
            }
        }

        @Override
        public void begin() {
            assertTrue(done.add("begin"));
        }

        @Override
        public boolean takeEngines() {
            return built == kind;
        }

        @Override
        public void buildEngines() {
            assertEquals(Set.of(), atWork, "nothing is at work while engines come and go");
            built = kind;
        }

        @Override
        public void encode() {
            part("encode", Set.of());
            encoded.countDown();
        }

        @Override
        public void denoise(Follower follower) {
            part("denoise", Set.of("begin", "encode"));
            loops.add(this);
            whileLooping.run();
            IntStream.rangeClosed(1, STEPS).forEach(follower::stepsDone);
        }

        @Override
        public void decode() {
            part("decode", Set.of("denoise"));
            pictures.add(this);
        }

        @Override
        public void end(@Nullable Throwable why) {
            assertEquals(1, over.getCount(), "it ends twice");
            failure = why;
            free();
            over.countDown();
        }

        @Override
        public void refuse(CancellationException reason) {
            failure = reason;
            over.countDown();
        }

        @Override
        public void free() {
            freed = true;
        }

        @Override
        public boolean overlaps() {
            return overlapping;
        }

        @Override
        public List<Integer> begins(List<Long> nanos, long loopNanos) {
            return nanos.stream().map(it -> latestBegin == 0 ? 0 : random.nextInt(latestBegin + 1)).toList();
        }

        @Override
        public int home() {
            return 0;
        }

        private Work join() throws InterruptedException {
            assertTrue(over.await(30, TimeUnit.SECONDS), "it does not end: " + done);
            return this;
        }
    }

    private final Set<String> atWork = Collections.synchronizedSet(new HashSet<>());
    private final List<Work> loops = Collections.synchronizedList(new ArrayList<>());
    private final List<Work> pictures = Collections.synchronizedList(new ArrayList<>());
    private final Random random = new Random(7);
    private volatile int built = -1;
    private boolean overlapping = true;
    /** The step after which works begin beside a loop at the latest, also one that the loop has not. */
    private int latestBegin;

    private RequestQueue open(AutoCloseable... owned) {
        RequestQueue queue = new RequestQueue(List.of(owned), Optional.empty());
        queue.start();
        return queue;
    }

    private Work add(RequestQueue queue, Work work) {
        queue.add(work, work);
        return work;
    }

    @Property(tries = 200)
    void whateverComesTogetherEachRequestGoesItsWayInOrder(@ForAll long seed) throws InterruptedException {
        RequestQueueTest other = new RequestQueueTest();
        other.run(new Random(seed));
    }

    private void run(Random choice) throws InterruptedException {
        overlapping = choice.nextInt(4) > 0;
        latestBegin = STEPS + 1;
        random.setSeed(choice.nextLong());
        AtomicInteger closed = new AtomicInteger();
        RequestQueue queue = open(closed::incrementAndGet);
        List<Work> works = new ArrayList<>();
        Set<Work> removed = new HashSet<>();
        for (int i = 0; i < 12; i++) {
            String fails = choice.nextInt(4) > 0 ? "" : List.of("encode", "denoise", "decode").get(choice.nextInt(3));
            works.add(add(queue, new Work(choice.nextInt(10) / 8, fails)));
            if (choice.nextInt(5) == 0) {
                Work gone = works.get(choice.nextInt(works.size()));
                queue.remove(gone);
                removed.add(gone);
            }
            if (choice.nextInt(3) == 0) {
                Thread.sleep(0, choice.nextInt(200_000));
            }
        }
        for (Work work : works) {
            if (!removed.contains(work)) {
                work.join();
                assertEquals(work.fails.isEmpty(), work.failure == null, () -> work.fails + ": " + work.failure);
                assertEquals(work.fails, work.failure == null ? "" : work.failure.getMessage());
                assertTrue(work.freed);
            }
        }
        queue.close();
        assertEquals(1, closed.get());
        List<Work> expected = works.stream().filter(loops::contains).toList();
        assertEquals(expected, loops, "loops run in the order of the queue");
        assertEquals(expected.stream().filter(pictures::contains).toList(), pictures, "and so do pictures");
        for (Work work : removed) {
            assertTrue(work.freed || !work.done.contains("encode"), "what nobody waits for is freed");
        }
    }

    @Test
    void theNextIsEncodedAndTheOneBeforeDecodedWhileOneIsDenoised() throws InterruptedException {
        CountDownLatch all = new CountDownLatch(1);
        Work first = new Work(0, "");
        Work second = new Work(0, "");
        Work third = new Work(0, "");
        second.whileLooping = () -> {
            awaitSeconds(first.over, "the one before gets its pictures meanwhile");
            awaitSeconds(third.encoded, "and the next is encoded");
        };
        first.whileLooping = () -> awaitSeconds(all, "all are there");
        try (RequestQueue queue = open()) {
            add(queue, first);
            add(queue, second);
            add(queue, third);
            all.countDown();
            assertNull(first.join().failure);
            assertNull(second.join().failure);
            assertNull(third.join().failure);
        }
    }

    @Test
    void whatIsEncodedForOneWhomNobodyWaitsForIsDoneBeforeTheNextIsEncoded() throws InterruptedException {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch looped = new CountDownLatch(1);
        try (RequestQueue queue = open()) {
            // With its picture the other thread begins.
            add(queue, new Work(0, "")).join();
            Work first = new Work(0, "");
            Work gone = new Work(0, "");
            Work next = new Work(0, "");
            first.whileLooping = () -> {
                awaitSeconds(encoding, "the next is encoded");
                queue.remove(gone);
                looped.countDown();
            };
            gone.whileEncoding = () -> {
                encoding.countDown();
                awaitSeconds(looped, "the loop ends");
                // Time for the other thread to begin the next, which it must not.
                LockSupport.parkNanos(50_000_000);
            };
            // None begins before all are there.
            CountDownLatch all = new CountDownLatch(1);
            first.whileEncoding = () -> awaitSeconds(all, "all are there");
            add(queue, first);
            add(queue, gone);
            add(queue, next);
            all.countDown();
            assertNull(first.join().failure);
            assertNull(next.join().failure);
            assertTrue(gone.freed);
        }
    }

    private static void awaitSeconds(CountDownLatch latch, String what) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS), what);
        } catch (InterruptedException unexpected) {
            throw new AssertionError(unexpected);
        }
    }

    /** As where callers let callbacks run in the thread that draws. */
    @Test
    void aCallbackThatFailsHoldsUpNobody() throws InterruptedException {
        Work failing = new Work(0, "") {
            @Override
            public void end(@Nullable Throwable why) {
                super.end(why);
                throw new IllegalStateException("a callback that fails");
            }
        };
        try (RequestQueue queue = open()) {
            add(queue, failing).join();
            assertNull(add(queue, new Work(0, "")).join().failure);
        }
    }

    @Test
    void closingRefusesWhoWaitsAndEndsWhoRuns() throws InterruptedException {
        CountDownLatch looping = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Work first = new Work(0, "");
        first.whileLooping = () -> {
            looping.countDown();
            awaitSeconds(go, "somebody closes");
        };
        RequestQueue queue = open();
        add(queue, first);
        Work second = add(queue, new Work(0, ""));
        awaitSeconds(looping, "the first is denoised");
        Thread closer = Thread.ofPlatform().start(queue::close);
        assertTrue(second.join().failure instanceof CancellationException);
        go.countDown();
        assertNull(first.join().failure);
        closer.join();
        assertTrue(pictures.contains(first));
        assertThrows(IllegalStateException.class, () -> add(queue, new Work(0, "")));
    }
}
