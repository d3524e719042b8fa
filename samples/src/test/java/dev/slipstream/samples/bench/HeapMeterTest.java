package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.samples.bench.LoopProbe.HeapMeter;
import org.junit.jupiter.api.Test;

class HeapMeterTest {
    private static final int BLOCK = 1 << 16;

    @Test
    void itSeesWhatIsAllocatedBetweenItsSteps() {
        HeapMeter meter = new HeapMeter(new long[] {Thread.currentThread().threadId()}, 50);
        byte[][] kept = new byte[50][];
        for (int step = 0; step < 50; step++) {
            kept[step] = new byte[BLOCK];
            meter.stepDone(step, 50);
        }
        double perStep = (double) meter.bytes() / meter.steps();
        assertEquals(BLOCK + 16, perStep, 64, "each step made an array with a header");
        assertEquals(BLOCK, kept[49].length);
    }

    @Test
    void aLoopOfTwoStepsIsCountedFromTheFirstToTheSecond() {
        HeapMeter meter = new HeapMeter(new long[] {Thread.currentThread().threadId()}, 2);
        assertEquals(1, meter.steps());
        assertFalse(meter.counts(0));
        assertTrue(meter.counts(1));
    }

    @Test
    void aLoopOfOneStepHasNothingBetween() {
        assertThrows(IllegalArgumentException.class, () -> new HeapMeter(new long[0], 1));
    }
}
