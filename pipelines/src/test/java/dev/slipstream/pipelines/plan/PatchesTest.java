package dev.slipstream.pipelines.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PatchesTest {
    /** Two patches that exchange a row and statistics; each reads its own statistics of before, too. */
    static List<SegmentOutline> network(Set<String> fresh) {
        List<SegmentOutline> segments = new ArrayList<>();
        segments.add(new SegmentOutline("unet", 0, List.of("x", "t"), List.of("eps", "row@0", "row@1", "s@0", "s@1")));
        for (int patch = 0; patch < 2; patch++) {
            String own = "@" + patch;
            String other = "@" + (1 - patch);
            segments.add(new SegmentOutline("patch" + patch, patch + 1,
                List.of("x", "t", "row" + other, "s" + other, "s" + own), List.of("eps" + own, "row" + own, "s" + own),
                Map.of(), Map.of("s" + own, "former" + own), fresh));
        }
        segments.add(new SegmentOutline("together", 3, List.of("eps@0", "eps@1"), List.of("eps")));
        return segments;
    }

    private static Plan plan(String spec, int devices) {
        return Strategy.parse(spec).plan(network(Set.of()), "eps", devices, true);
    }

    @Test
    void theWholeRunsInSynchronousStepsAndPatchesInTheWindow() {
        Plan plan = plan("patches", 2);
        assertEquals(List.of(0, 0, 1, 0), plan.stages().stream().map(Stage::device).toList());
        assertEquals(List.of(Phase.SYNCHRONOUS, Phase.WINDOW, Phase.WINDOW, Phase.WINDOW),
            plan.stages().stream().map(Stage::phase).toList());
        assertEquals(List.of(3), plan.predictors(0));
        assertEquals(List.of(0), plan.synchronousPredictors());
        assertEquals(0, plan.home());
    }

    @Test
    void whatPatchesExchangeIsAStepOldAndWhatTheyPredictIsNot() {
        assertEquals(Set.of(new Edge("row@1", 2, 1, 1), new Edge("s@1", 2, 1, 1), new Edge("s@0", 1, 1, 1),
            new Edge("row@0", 1, 2, 1), new Edge("s@0", 1, 2, 1), new Edge("s@1", 2, 2, 1),
            new Edge("eps@0", 1, 3, 0), new Edge("eps@1", 2, 3, 0)), Set.copyOf(plan("patches", 2).edges()));
    }

    @Test
    void whatASegmentSaysIsFreshIsOfTheSameStep() {
        Plan plan = Strategy.parse("patches:norm=sync").plan(network(Set.of("s@0", "s@1")), "eps", 2, true);
        assertTrue(plan.edges().stream().filter(edge -> edge.tensor().startsWith("s@"))
            .allMatch(edge -> edge.slip() == 0));
        assertTrue(plan.edges().stream().filter(edge -> edge.tensor().startsWith("row@"))
            .allMatch(edge -> edge.slip() == 1));
    }

    @Test
    void frozenPatchesTakeWhatTheLastSynchronousStepMade() {
        Plan plan = plan("patches:frozen,warmup=2", 2);
        Edge row = plan.edges().stream().filter(edge -> edge.tensor().equals("row@1")).findFirst().orElseThrow();
        assertEquals(0, row.from());
        assertEquals(List.of(1, 1, 1), List.of(plan.madeAt(row, 2, 9), plan.madeAt(row, 3, 9), plan.madeAt(row, 8, 9)));
    }

    @Test
    void patchesMayShareADeviceButNoDeviceIsIdle() {
        assertEquals(List.of(0, 0, 0, 0), plan("patches:n=2", 1).stages().stream().map(Stage::device).toList());
        String message = assertThrows(PlanException.class, () -> Strategy.parse("patches:n=2").check(3, true))
            .getMessage();
        assertTrue(message.contains("at most 2 devices, not 3"), message);
        assertThrows(PlanException.class, () -> Strategy.parse("patches").cutting(1));
    }

    @Test
    void guidanceBranchesAndPatchesMultiply() {
        Plan plan = Strategy.parse("cfg-split+patches:n=2").plan(network(Set.of()), "eps", 4, true);
        assertEquals(8, plan.stages().size());
        assertEquals(List.of(0, 1), plan.stages().stream().filter(stage -> stage.branch() == Branch.UNCONDITIONAL
            && stage.phase() == Phase.WINDOW).map(Stage::device).distinct().sorted().toList());
        assertTrue(plan.edges().stream().allMatch(edge ->
            plan.stages().get(edge.from()).branch() == plan.stages().get(edge.to()).branch()));
        assertEquals(Strategy.parse("patches:n=2,warmup=3"), Patches.usual().withCount(2).withWarmUp(3));
    }
}
