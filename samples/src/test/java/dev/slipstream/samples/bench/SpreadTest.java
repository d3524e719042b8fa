package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void theMedianOfAnOddNumberIsTheOneInTheMiddle() {
        assertEquals(new Spread(1, 5, 9), Spread.of(9, 1, 5));
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
        assertEquals(new Spread(1, 3.5, 100), Spread.of(100, 3, 1, 4));
    }

    @Test
    void nothingHasNoSpread() {
        assertThrows(IllegalArgumentException.class, Spread::of);
    }

    @Test
    void measurementsKeepTheirOrder() {
        double[] values = {3, 1, 2};
        Spread.of(values);
        assertEquals(3, values[0]);
    }
}
