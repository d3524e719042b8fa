package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.plan.GuidanceSchedule.Unconditional;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuidanceScheduleTest {
    private static List<Integer> steps(String spec, Unconditional wanted) {
        GuidanceSchedule schedule = (GuidanceSchedule) Strategy.parse(spec);
        return IntStream.range(0, 12).filter(step -> schedule.at(step, 12) == wanted).boxed().toList();
    }

    /** What the published implementation gives for 12 steps. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"guidance:start=0.2,stop=0.8 | 2 | 8", "guidance:stop=0.5 | 0 | 5",
        "guidance:start=0.25,stop=0.75 | 3 | 8"})
    void anIntervalCountsWholeSteps(String spec, int first, int last) {
        assertEquals(IntStream.rangeClosed(first, last).boxed().toList(), steps(spec, Unconditional.PREDICTED));
        assertEquals(List.of(), steps(spec, Unconditional.KEPT));
    }

    @Test
    void intervalsOfTheUnpromptedPredictionCountFromTheWarmUp() {
        assertEquals(List.of(0, 2, 4, 6, 8, 10), steps("guidance:every=2", Unconditional.PREDICTED));
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 7, 9, 11), steps("guidance:every=2,warmup=5", Unconditional.PREDICTED));
        assertEquals(List.of(6, 8, 10), steps("guidance:every=2,warmup=5", Unconditional.KEPT));
    }

    @Test
    void anIntervalBeginsWithAPrediction() {
        assertEquals(List.of(3, 4), steps("guidance:start=0.25,stop=0.5,every=4", Unconditional.PREDICTED));
        assertEquals(List.of(5), steps("guidance:start=0.25,stop=0.5,every=4", Unconditional.KEPT));
    }

    @Test
    void stepsOfThePredictionWithoutTheTextMayBeListedOrCountedFromAny() {
        assertEquals(List.of(0, 1, 4, 9), steps("guidance:steps=1+4+9", Unconditional.PREDICTED), "the first is one");
        assertEquals(List.of(0, 1, 5, 10), steps("guidance:every=5,first=0,warmup=2", Unconditional.PREDICTED));
        assertEquals("guidance: every and steps both say at which steps; leave one out",
            assertThrows(PlanException.class, () -> Strategy.parse("guidance:every=2,steps=1+4")).getMessage());
    }

    @Test
    void frequenciesGrowOnceMoreAtEachStepOfTheirs() {
        GuidanceSchedule.Growth growth = new GuidanceSchedule.Growth(2, 0.25, 0.75);
        assertEquals(List.of(1.0, 1.0, 2.0, 4.0), IntStream.range(1, 5).mapToObj(step -> growth.between(0, step, 12))
            .toList(), "steps 3 to 8 are its own");
        assertEquals(List.of(2.0, 4.0, 4.0), IntStream.range(7, 10).mapToObj(step -> growth.between(6, step, 12))
            .toList());
        GuidanceSchedule published = (GuidanceSchedule) Strategy.parse("guidance:every=5,keep=frequencies");
        assertEquals(new GuidanceSchedule.Growth(1.1, 0.1, 0.9), published.low());
        assertEquals(new GuidanceSchedule.Growth(1.1, 0.7, 1), published.high());
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        for (String spec : List.of("guidance:low=1.1", "guidance:keep=frequencies,low=-1",
            "guidance:keep=frequencies,high-start=0.5,high-stop=0.4", "guidance:steps=1+x")) {
            assertThrows(PlanException.class, () -> Strategy.parse(spec), spec);
        }
        for (double[] range : new double[][] {{0.6, 0.5}, {-0.1, 1}, {0, 1.1}, {Double.NaN, 1}}) {
            assertThrows(PlanException.class, () -> GuidanceSchedule.ALWAYS.within(range[0], range[1]));
        }
        assertThrows(PlanException.class, () -> GuidanceSchedule.ALWAYS.withEvery(0));
    }

    @Test
    void whatIsPrintedIsReadBackTheSame() {
        for (String spec : List.of("guidance:start=0,stop=1", "guidance:start=0.2,stop=0.8",
            "guidance:start=0,stop=0.5,every=3,warmup=2,keep=unconditional",
            "guidance:start=0,stop=1,every=3,first=0,warmup=2,keep=difference",
            "guidance:start=0,stop=1,steps=0+4,warmup=0,keep=frequencies,low=1.1,low-start=0.1,low-stop=0.9,"
                + "high=1.2,high-start=0.7,high-stop=1")) {
            assertEquals(spec, Strategy.parse(spec).spec());
            assertEquals(Strategy.parse(spec), Strategy.parse(Strategy.parse(spec).spec()));
        }
    }
}
