package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RoundsTest {
    private static List<Integer> of(Rounds rounds, int steps) {
        return IntStream.range(0, steps).filter(step -> rounds.includes(step, steps)).boxed().toList();
    }

    /** Until it is decided a stage may run at any step. */
    @Test
    void whatIsDecidedMayBeAtEveryStepOfTheWindow() {
        Cadence cadence = new Cadence(2, 1, 1, true, false);
        Rounds.Rule rule = new Rounds.Rule.Above(0.1);
        Rounds.Decided now = new Rounds.Decided("r", rule, 0);
        Rounds.Decided late = new Rounds.Decided("r", rule, 1);
        assertEquals(List.of(0, 1, 2, 3, 4, 5), of(now, 6));
        assertEquals(List.of(2, 3, 4), IntStream.range(0, 6).filter(step -> now.isOpen(step, 6, cadence)).boxed()
            .toList());
        assertEquals(List.of(3, 4), IntStream.range(0, 6).filter(step -> late.isOpen(step, 6, cadence)).boxed()
            .toList());
        assertEquals(now, now.and(Rounds.ALL));
        assertThrows(PlanException.class, () -> now.and(new Rounds.Every(2)));
        assertThrows(PlanException.class, () -> new Rounds.Decided("r", rule, 2));
    }

    /** The last number counts; one that is none says nothing of likeness. */
    @Test
    void aNumberAboveTheThresholdOrNoneAtAllIsAYes() {
        Rounds.Rule rule = new Rounds.Rule.Above(0.25);
        assertTrue(rule.decide(new float[] {0, 0.3f, 0}, 2, 5));
        assertFalse(rule.decide(new float[] {1, 0.25f, 1}, 2, 5));
        assertTrue(rule.decide(new float[] {Float.NaN}, 1, 5));
        assertTrue(rule.decide(new float[] {Float.POSITIVE_INFINITY}, 1, 5));
        assertEquals(List.of(0, 2, 4), IntStream.range(0, 5).filter(rule::expects).boxed().toList(), "of a forecast");
        assertThrows(PlanException.class, () -> new Rounds.Rule.Above(-0.1));
        assertThrows(PlanException.class, () -> new Rounds.Rule.Above(Double.NaN));
    }

    /** The steps of ten at which a loop that knows these distances, one a step, is in its window. */
    private static List<Integer> window(Rounds.Rule.Flat rule, double... distances) {
        List<Integer> window = new ArrayList<>();
        float[] measures = new float[10];
        for (int step = rule.earliest(); step < 10; step++) {
            for (int made = 0; made < step - rule.slip(); made++) {
                measures[made] = window.contains(made) ? Float.NaN : (float) distances[made];
            }
            if (rule.decide(measures, step - rule.slip(), step)) {
                window.add(step);
            }
        }
        return window;
    }

    /** Over two steps the distance falls by 0.2 each, then by 0.15, 0.05 and 0. */
    @Test
    void aWindowBeginsBehindTheFirstStepAtWhichTheDistanceHardlyFalls() {
        double[] distances = {1.0, 0.8, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
        assertEquals(List.of(3, 4), window(new Rounds.Rule.Flat(2, 0.21, 0, 8, 2), distances));
        assertEquals(List.of(4, 5), window(new Rounds.Rule.Flat(2, 0.16, 0, 8, 2), distances));
        assertEquals(List.of(5, 6), window(new Rounds.Rule.Flat(2, 0.06, 0, 8, 2), distances));
        assertEquals(List.of(6, 7, 8), window(new Rounds.Rule.Flat(2, 0.01, 0, 8, 3), distances));
        assertEquals(List.of(7, 8, 9), window(new Rounds.Rule.Flat(2, 0.01, 1, 8, 3), distances), "a step later");
        assertEquals(List.of(8, 9), window(new Rounds.Rule.Flat(2, 0, 0, 8, 3), distances), "below 0 nothing falls");
    }

    @Test
    void aDistanceThatGrowsOrIsNoNumberIsNotFlat() {
        assertEquals(List.of(7, 8), window(new Rounds.Rule.Flat(1, 0.5, 0, 7, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
        double none = Double.NaN;
        assertEquals(List.of(7, 8), window(new Rounds.Rule.Flat(1, 0.5, 0, 7, 2), 1, none, 1, none, 1, none, 1, none,
            1, 1));
    }

    @Test
    void aWindowThatNothingBeginsBeginsAtTheLatest() {
        assertEquals(List.of(4, 5, 6), window(new Rounds.Rule.Flat(1, 0.01, 1, 4, 3), 9, 8, 7, 6, 6, 6, 6, 6, 6, 6));
        Rounds.Rule.Flat late = new Rounds.Rule.Flat(2, 0.1, 1, 4, 3);
        assertEquals(4, late.earliest());
        assertEquals(List.of(4, 5, 6), IntStream.range(0, 10).filter(late::expects).boxed().toList());
        assertThrows(PlanException.class, () -> new Rounds.Rule.Flat(2, 0.1, 1, 3, 3));
        assertThrows(PlanException.class, () -> new Rounds.Rule.Flat(0, 0.1, 1, 3, 3));
        assertThrows(PlanException.class, () -> new Rounds.Rule.Flat(1, Double.NaN, 1, 3, 3));
        assertThrows(PlanException.class, () -> new Rounds.Rule.Flat(1, 0.1, 2, 9, 3));
        assertThrows(PlanException.class, () -> new Rounds.Rule.Flat(1, 0.1, 0, 9, 0));
    }

    @Test
    void anIntervalMayBeginAnywhere() {
        assertEquals(List.of(0, 3, 6, 9), of(new Rounds.Every(3), 12));
        assertEquals(List.of(1, 4, 7, 10), of(new Rounds.Every(3, 4), 12));
        assertEquals("every=3,first=4", new Rounds.Every(3, 4).toString());
    }

    /** Numbers of the published implementation, with 12 steps. */
    @Test
    void magnitudesSayWhenAPartRests() {
        List<Double> flux = List.of(1.0, 1.01401, 0.99303, 1.02838, 0.93743, 1.04761, 1.0675, 0.9302, 0.93511, 1.08378,
            1.04541, 0.90644);
        assertEquals(List.of(0, 1, 4, 6, 7, 8, 9, 11), of(new Rounds.Magnitudes(flux, 0.06, 3, 0.2), 12));
        assertEquals(List.of(0, 3, 6, 8, 10), of(new Rounds.Magnitudes(flux, 0.15, 2, 0.1), 12));
    }

    /** As published for 28 steps. */
    @Test
    void magnitudesOfOtherNumbersOfStepsServe() {
        List<Double> published = List.of(1.0, 1.21094, 1.11719, 1.07812, 1.0625, 1.03906, 1.03125, 1.03906, 1.02344,
            1.03125, 1.02344, 0.98047, 1.01562, 1.00781, 1.0, 1.00781, 1.0, 1.00781, 1.0, 1.0, 0.99609, 0.99609,
            0.98047, 0.98828, 0.96484, 0.95703, 0.93359, 0.89062);
        assertEquals(List.of(0, 1, 5, 9), of(new Rounds.Magnitudes(published, 0.24, 3, 0.2), 12));
    }

    @Test
    void roundsOfTwoPlansAreThoseOfBoth() {
        Rounds both = new Rounds.Every(2).and(new Rounds.At(new TreeSet<>(List.of(1, 2, 4, 5, 8))));
        assertEquals(List.of(2, 4, 8), of(both, 10));
        assertEquals(new Rounds.Every(2), Rounds.ALL.and(new Rounds.Every(2)));
        assertEquals(new Rounds.Every(2), new Rounds.Every(2).and(Rounds.ALL));
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThrows(PlanException.class, () -> new Rounds.Every(0));
        assertThrows(PlanException.class, () -> new Rounds.Every(2, -1));
        assertThrows(PlanException.class, () -> new Rounds.Magnitudes(List.of(), 0.1, 1, 0));
        assertThrows(PlanException.class, () -> new Rounds.Magnitudes(List.of(1.0), Double.NaN, 1, 0));
        assertThrows(PlanException.class, () -> new Rounds.Magnitudes(List.of(1.0), 0.1, 0, 0));
        assertThrows(PlanException.class, () -> new Rounds.Magnitudes(List.of(1.0), 0.1, 1, 2));
    }
}
