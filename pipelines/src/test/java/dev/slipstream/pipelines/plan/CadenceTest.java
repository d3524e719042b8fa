package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which of ten steps are synchronous, which compute, and with which timestep. */
class CadenceTest {
    private static final int STEPS = 10;

    private static List<Integer> where(IntPredicate step) {
        return IntStream.range(0, STEPS).filter(step).boxed().toList();
    }

    @Test
    void warmUpAndTailAreSynchronous() {
        assertEquals(List.of(0, 1, 8, 9), where(step -> new Cadence(2, 2, 1, false, false).isSynchronous(step, STEPS)));
        assertEquals(List.of(0), where(step -> new Cadence(1, 0, 1, false, false).isSynchronous(step, STEPS)));
        assertEquals(STEPS, where(step -> Cadence.SYNCHRONOUS.isSynchronous(step, STEPS)).size());
    }

    @Test
    void aWindowMayEndBeforeTheTail() {
        Cadence cadence = new Cadence(3, 4, 1, 1, true, false);
        assertEquals(List.of(0, 1, 2, 7, 8, 9), where(step -> cadence.isSynchronous(step, STEPS)));
        assertEquals(4, cadence.window(STEPS));
        assertEquals(2, cadence.window(6));
        assertEquals(0, cadence.window(3));
        assertEquals(0, Cadence.SYNCHRONOUS.window(STEPS));
        assertEquals(9, new Cadence(1, 0, 1, true, false).window(STEPS));
    }

    @Test
    void ofTwoWindowsStepsThatBothHaveAreAsynchronous() {
        Cadence together = new Cadence(2, 4, 0, 1, true, false).and(new Cadence(4, 9, 1, 1, true, false));
        assertEquals(List.of(4, 5), where(step -> !together.isSynchronous(step, STEPS)));
        Cadence apart = new Cadence(1, 2, 0, 1, true, false).and(new Cadence(4, 2, 0, 1, true, false));
        assertEquals(0, apart.window(STEPS));
        Cadence open = new Cadence(2, 1, 1, true, false).and(new Cadence(3, 0, 1, true, false));
        assertEquals(new Cadence(3, 1, 1, true, false), open);
    }

    @Test
    void withStrideTwoTheOddStepsOfTheWindowCompute() {
        assertEquals(List.of(0, 1, 2, 3, 5, 7, 8, 9), where(step -> new Cadence(3, 2, 2, true, false).isRound(step,
            STEPS)));
        assertEquals(STEPS, where(step -> new Cadence(3, 2, 1, true, false).isRound(step, STEPS)).size());
    }

    @Test
    void aStageOfTheWindowRunsAheadButNotPastTheEnd() {
        Cadence plain = new Cadence(2, 2, 2, false, false);
        assertEquals(1, plain.timeIndex(1, 1, STEPS), "a synchronous step has its own");
        assertEquals(8, plain.timeIndex(8, 1, STEPS));
        assertEquals(4, plain.timeIndex(3, 1, STEPS));
        assertEquals(3, plain.timeIndex(3, 0, STEPS));
        Cadence shifted = new Cadence(1, 0, 2, false, true);
        assertEquals(0, shifted.timeIndex(0, 1, STEPS));
        assertEquals(3, shifted.timeIndex(3, 1, STEPS));
        assertEquals(8, shifted.timeIndex(9, 1, STEPS));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0 | 0 | 1 | warm-up must be at least 1", "1 | -1 | 1 | cannot have -1 steps",
        "1 | 0 | 0 | stride is 1 or 2, not 0", "1 | 0 | 3 | stride is 1 or 2, not 3"})
    void whatMakesNoSenseIsRefused(int warmUp, int tail, int stride, String message) {
        assertTrue(assertThrows(PlanException.class, () -> new Cadence(warmUp, tail, stride, false, false)).getMessage()
            .contains(message));
    }
}
