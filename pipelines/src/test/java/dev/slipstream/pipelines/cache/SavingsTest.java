package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cache.Thresholds.Level;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** What is left out, and what that saves. */
class SavingsTest {
    @Test
    void withoutSlipEachStepLeftOutIsSaved() {
        StepCosts costs = StepCosts.ofExact(50);
        assertEquals(0, costs.saved(0));
        assertEquals(10, costs.saved(10));
        assertEquals(50, costs.saved(50));
    }

    @Test
    void aPlanThatWarmsUpAgainSavesItsFastSteps() {
        StepCosts costs = new StepCosts(50, 5, 0, 2, 1, 0);
        assertEquals(5 * 2 + 45, costs.from(0));
        assertEquals(5 * 2 + 35, costs.from(10));
        assertEquals(10, costs.saved(10));
        // The last steps are all of a warm-up.
        assertEquals(55 - 3 * 2, costs.saved(47));
    }

    @Test
    void whatTakesLongerToReadThanToDrawSavesNothing() {
        assertTrue(new StepCosts(4, 0, 0, 1, 1, 1.5).saved(1) < 0);
    }

    @Property
    void laterIsNeverDearer(@ForAll @IntRange(min = 1, max = 60) int steps,
            @ForAll @IntRange(min = 0, max = 9) int warmUp, @ForAll @IntRange(min = 0, max = 9) int tail,
            @ForAll @DoubleRange(min = 0.1, max = 3) double slow) {
        StepCosts costs = new StepCosts(steps, warmUp, tail, slow, Math.min(1, slow), 0);
        for (int step = 1; step <= steps; step++) {
            assertTrue(costs.saved(step) >= costs.saved(step - 1));
        }
        assertEquals(0, costs.from(steps));
    }

    @Test
    void theDeepestLevelThatIsReachedCounts() {
        Thresholds thresholds = new Thresholds(List.of(new Level(0.8, 2, 0.2), new Level(0.95, 0, 0.5)));
        assertEquals(25, thresholds.depth(0.96, 0, 50));
        assertEquals(10, thresholds.depth(0.96, 1, 50));
        assertEquals(10, thresholds.depth(0.85, 0, 50));
        assertEquals(0, thresholds.depth(0.85, 3, 50));
        assertEquals(0, thresholds.depth(0.7, 0, 50));
        assertEquals(15, new Thresholds(List.of(new Level(0, 0, 0.3))).depth(1, 0, 50));
    }

    @Test
    void aModelThatWasNotMeasuredIsServedNothing() {
        assertEquals(0, Thresholds.NONE.depth(1, 0, 50));
    }

    @Test
    void numbersThatMakeNoSenseAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Level(Double.NaN, 0, 0.5));
        assertThrows(IllegalArgumentException.class, () -> new Level(0.9, -1, 0.5));
        assertThrows(IllegalArgumentException.class, () -> new Level(0.9, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new StepCosts(0, 0, 0, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new StepCosts(5, 0, 0, Double.NaN, 1, 0));
    }
}
