package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage.Phase;
import dev.slipstream.pipelines.run.unroll.Loops;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Where patches run, and how old the keys and values are that they attend to. */
class PipeFusionTest {
    private static final int STEPS = 10;

    private static Plan plan(String spec, int parts, int patches, int devices) {
        return Strategy.parse(spec).plan(Loops.pipe(parts, patches), "eps", devices, true);
    }

    private static Stage stage(Plan plan, String label) {
        return plan.stages().get(index(plan, label));
    }

    private static int index(Plan plan, String label) {
        return IntStream.range(0, plan.stages().size()).filter(it -> plan.label(it).equals(label)).findFirst()
            .orElseThrow();
    }

    private static int slip(Plan plan, String tensor, String reader) {
        return plan.edges().stream().filter(edge -> edge.tensor().equals(tensor) && edge.to() == index(plan, reader))
            .mapToInt(Edge::slip).findFirst().orElseThrow();
    }

    @Test
    void keysOfEarlierPatchesAreOfThisStepAndThoseOfLaterOnesOfTheStepBefore() {
        Plan plan = plan("pipefusion:parts=2,patches=3", 2, 3, 2);

        assertEquals(0, slip(plan, "k0@0", "P0@1"));
        assertEquals(1, slip(plan, "k0@2", "P0@1"));
        assertEquals(0, slip(plan, "h0@1", "P1@1"));
        assertEquals(0, slip(plan, "x@2", "P0@2"));
        assertEquals(0, slip(plan, "eps@0", "assembly"));
        assertEquals(0, slip(plan, "eps@2", "assembly"));
    }

    @Test
    void keysAndValuesStayOnTheDeviceOfTheirPart() {
        Plan plan = plan("pipefusion:parts=3,patches=4", 3, 4, 3);

        List<String> moved = plan.edges().stream().filter(edge -> plan.stages().get(edge.from()).device()
            != plan.stages().get(edge.to()).device()).map(Edge::tensor).toList();
        assertEquals(2 * 4, moved.size());
        assertTrue(moved.stream().allMatch(tensor -> tensor.startsWith("h")), moved::toString);
    }

    @Test
    void theWholePictureGoesThroughThePartsInWarmUpAlone() {
        Plan plan = plan("pipefusion:parts=2,patches=2,warmup=3", 2, 2, 2);

        assertEquals(Phase.SYNCHRONOUS, stage(plan, "P1").phase());
        assertEquals(Phase.WINDOW, stage(plan, "P1@1").phase());
        assertEquals(List.of(index(plan, "assembly")), plan.predictors(0));
        assertEquals(List.of(index(plan, "P1")), plan.synchronousPredictors());
        assertEquals(1, plan.home());
        assertTrue(plan.cadence().isSynchronous(2, STEPS));
        assertTrue(!plan.cadence().isSynchronous(3, STEPS));
        Edge later = plan.edges().stream().filter(edge -> edge.slip() == 1).findFirst().orElseThrow();
        assertEquals(2, plan.madeAt(later, 3, STEPS));
    }

    @Test
    void partsShareDevicesWhereThereAreFewer() {
        Plan plan = plan("pipefusion:parts=4,patches=2", 4, 2, 2);

        assertEquals(List.of(0, 0, 1, 1), IntStream.range(0, 4).mapToObj(part -> stage(plan, "P" + part).device())
            .toList());
        assertTrue(assertThrows(PlanException.class, () -> plan("pipefusion:parts=2", 2, 2, 3)).getMessage()
            .contains("take parts=3"));
    }

    @Test
    void eachGuidanceBranchHasAPipelineOfItsOwn() {
        Plan plan = plan("cfg-split+pipefusion:parts=2,patches=2", 2, 2, 4);

        assertEquals(0, stage(plan, "P0@1-").device());
        assertEquals(1, stage(plan, "P1@1-").device());
        assertEquals(2, stage(plan, "P0@1+").device());
        assertEquals(3, stage(plan, "assembly+").device());
        assertEquals(Branch.UNCONDITIONAL, stage(plan, "P0-").branch());
        assertEquals(1, slip(plan, "k0@1", "P0@0+"));
        assertEquals(2, plan.predictors(0).size());
    }
}
