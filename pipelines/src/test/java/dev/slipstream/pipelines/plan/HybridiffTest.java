package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.plan.GuidanceSchedule.Unconditional;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage.Phase;
import dev.slipstream.pipelines.run.unroll.Loops;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two plans in one: where stages are in the window and outside it. */
class HybridiffTest {
    private static final int STEPS = 8;
    private static final String SPEC = "hybridiff:start=2,length=3";

    private static Plan plan(String spec, List<SegmentOutline> segments) {
        return Strategy.parse(spec).plan(segments, "eps", 2, true);
    }

    private static Stage stage(int segment, int device, Branch branch, Phase phase) {
        return new Stage(segment, device, branch, 0, Rounds.ALL, phase);
    }

    @Test
    void aDeviceHasABranchOutsideTheWindowAndAComponentInIt() {
        assertEquals(List.of(stage(0, 0, Branch.UNCONDITIONAL, Phase.SYNCHRONOUS),
            stage(0, 1, Branch.CONDITIONAL, Phase.SYNCHRONOUS), stage(0, 0, Branch.CONDITIONAL, Phase.WINDOW),
            stage(1, 0, Branch.UNCONDITIONAL, Phase.SYNCHRONOUS), stage(1, 1, Branch.CONDITIONAL, Phase.ALL)),
            plan(SPEC, Loops.chain(2)).stages());
    }

    /** Also one that would serve both: it reads other values in the window. */
    @Test
    void whereTheWindowIsDecidedInTheLoopStagesAreInItOrOutsideIt() {
        Plan plan = plan("hybridiff:decide=distance,lookback=1,threshold=0.1,latest=4,length=3", Loops.chain(2));
        Rounds.Rule.Flat rule = new Rounds.Rule.Flat(1, 0.1, 1, 4, 3);
        Rounds outside = new Rounds.Window(rule, false);
        Rounds inside = new Rounds.Window(rule, true);
        assertEquals(List.of(new Stage(0, 0, Branch.UNCONDITIONAL, 0, outside, Phase.SYNCHRONOUS),
            new Stage(0, 1, Branch.CONDITIONAL, 0, outside, Phase.SYNCHRONOUS),
            new Stage(0, 0, Branch.CONDITIONAL, 0, inside, Phase.WINDOW),
            new Stage(1, 0, Branch.UNCONDITIONAL, 0, outside, Phase.SYNCHRONOUS),
            new Stage(1, 1, Branch.CONDITIONAL, 0, outside, Phase.SYNCHRONOUS),
            new Stage(1, 1, Branch.CONDITIONAL, 0, inside, Phase.WINDOW)), plan.stages());
        assertEquals(List.of(new Edge("o0", 2, 5, 1)), plan.edges());
        assertEquals(Optional.of(rule), plan.window());
        assertEquals(List.of(3, 4, 5, 6), IntStream.range(0, STEPS).filter(step -> plan.isOpen(step, STEPS)).boxed()
            .toList());
        assertEquals(Optional.empty(), plan(SPEC, Loops.chain(2)).window());
    }

    @Test
    void aWindowIsDecidedBeforeItBeginsAtTheLatest() {
        assertEquals("hybridiff: with lookback=3 and slip=0 the window begins at step 4 at the soonest, so latest is "
            + "no less, not 3", assertThrows(PlanException.class,
                () -> Hybridiff.usual().decidedBy(new Hybridiff.Decided(3, 0.1, 0), 3)).getMessage());
    }

    @Test
    void inTheWindowComponentsReadEachOtherAStepLate() {
        assertEquals(List.of(new Edge("o0", 2, 4, 1)), plan(SPEC, Loops.chain(2)).edges());
        assertEquals(List.of("d 0", "i 1", "skip 0"), plan(SPEC, Loops.shell()).edges().stream()
            .map(edge -> edge.tensor() + " " + edge.slip()).sorted().toList());
    }

    @Test
    void theWindowHasItsStepsAndNoOthers() {
        Plan plan = plan(SPEC, Loops.chain(2));
        assertEquals(List.of(2, 3, 4), IntStream.range(0, STEPS)
            .filter(step -> !plan.cadence().isSynchronous(step, STEPS)).boxed().toList());
        assertEquals(List.of(4), plan.predictors(0));
        assertEquals(List.of(3, 4), plan.synchronousPredictors());
    }

    @ParameterizedTest
    @CsvSource({"kept, KEPT", "none, NONE"})
    void nothingIsPredictedWithoutTheTextInTheWindow(String guidance, Unconditional inside) {
        GuidanceSchedule schedule = plan(SPEC + ",guidance=" + guidance, Loops.chain(2)).guidance();
        assertEquals(List.of(Unconditional.PREDICTED, Unconditional.PREDICTED, inside, inside, inside,
            Unconditional.PREDICTED, Unconditional.PREDICTED, Unconditional.PREDICTED),
            IntStream.range(0, STEPS).mapToObj(step -> schedule.at(step, STEPS)).toList());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "hybridiff | 2 | false | hybridiff needs guidance; with guidance 1 there is only one branch: use asyncdiff",
        "hybridiff | 3 | true | hybridiff runs on 2 devices, not on 3"})
    void whatItDoesNotRunOnIsRefused(String spec, int devices, boolean guided, String message) {
        assertEquals(message, assertThrows(PlanException.class, () -> Strategy.parse(spec).check(devices, guided))
            .getMessage());
    }

    @Test
    void noOtherPlanGoesBesideIt() {
        assertEquals("hybridiff:start=12,length=5,guidance=kept+guidance:start=0,stop=0.5: hybridiff is two plans "
            + "already, each at its steps, and no other goes with it; leave out guidance:start=0,stop=0.5",
            assertThrows(PlanException.class, () -> Strategy.parse("hybridiff+guidance:stop=0.5")).getMessage());
    }
}
