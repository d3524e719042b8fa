package dev.slipstream.samples.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class InterruptionTest {
    private final StringWriter err = new StringWriter();
    private final Interruption interruption = Interruption.onShutdown(new Complaints(new PrintWriter(err), false));

    @Test
    void theEndOfTheProcessCancelsTheWorkAndWaitsForIt() throws InterruptedException {
        CountDownLatch cancelled = new CountDownLatch(1);
        interruption.stops(cancelled::countDown);
        Thread end = Thread.ofPlatform().start(interruption::stop);
        cancelled.await();
        assertTrue(end.isAlive(), "it must wait for the work to end");
        assertEquals("", err.toString());
        interruption.close();
        end.join();
        assertEquals("slipstream: cancelled; no file is left half-written", err.toString().strip());
    }

    @Test
    void workThatComesTooLateIsCancelledAtOnce() throws InterruptedException {
        CountDownLatch first = new CountDownLatch(1);
        interruption.stops(first::countDown);
        Thread end = Thread.ofPlatform().start(interruption::stop);
        first.await();
        CountDownLatch second = new CountDownLatch(1);
        assertThrows(CancellationException.class, () -> interruption.stops(second::countDown));
        assertEquals(0, second.getCount());
        interruption.close();
        end.join();
    }
}
