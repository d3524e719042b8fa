package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A module that is in no component, such as a ControlNet, in the asynchronous window, as formulas. */
class FreshComponentTest {
    private static final List<SegmentOutline> CONTROLLED = List.of(
        new SegmentOutline("K", -1, List.of("x", "t"), List.of("k")),
        new SegmentOutline("C0", 0, List.of("x", "k", "t"), List.of("o")),
        new SegmentOutline("C1", 1, List.of("o", "k", "t"), List.of("eps")));

    private static List<String> formulas(String spec, int devices, int steps) {
        Plan plan = Strategy.parse(spec).plan(CONTROLLED, "eps", devices, false);
        return new SymbolicMachine(Unroller.unroll(plan, Loops.loop(CONTROLLED, steps), true), plan).run(5);
    }

    private static String control(int time, String x) {
        return "K[" + time + "](" + x + ")";
    }

    private static String first(int time, String x, String control) {
        return "C0[" + time + "](" + x + "," + control + ")";
    }

    private static String last(int time, String hidden, String control) {
        return "C1[" + time + "](" + hidden + "," + control + ")";
    }

    /** @param shift how many steps the components' timestep is behind; that of the module is always the step's own */
    @ParameterizedTest
    @CsvSource({"asyncdiff:n=2, 2, 0", "asyncdiff:n=2, 3, 0", "'asyncdiff:n=2,shift', 2, 1",
        "'asyncdiff:n=2,shift', 3, 1"})
    void itSeesTheLatentsAndTheTimeOfTheStepWhileComponentsLag(String spec, int devices, int shift) {
        List<String> x = formulas(spec, devices, 3);

        String begun = first(0, "x0", control(0, "x0"));
        assertEquals(last(0, begun, control(0, "x0")), x.get(0));
        assertEquals(last(1 - shift, begun, control(1, x.get(0))), x.get(1));
        String second = first(1 - shift, x.get(0), control(1, x.get(0)));
        assertEquals(last(2 - shift, second, control(2, x.get(1))), x.get(2));
    }

    /** A round serves two steps; in it components use the time of the second, and the module that of the round. */
    @Test
    void withStrideTwoItRunsInRounds() {
        List<String> x = formulas("asyncdiff:n=2,stride=2,form=reuse", 2, 5);

        String begun = first(0, "x0", control(0, "x0"));
        assertEquals(last(1, begun, control(1, x.get(0))), x.get(1));
        assertEquals(x.get(1), x.get(2));
        String second = first(2, x.get(0), control(1, x.get(0)));
        assertEquals(last(3, second, control(3, x.get(2))), x.get(3));
    }

    @Test
    void inSequenceItIsOneMoreSegment() {
        assertEquals(last(0, first(0, "x0", control(0, "x0")), control(0, "x0")),
            formulas("sequential", 3, 1).getFirst());
    }
}
