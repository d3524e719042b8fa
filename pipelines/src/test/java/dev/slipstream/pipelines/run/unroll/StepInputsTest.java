package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Known;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the denoiser takes in a step, and what is added where a picture is known, as formulas. */
class StepInputsTest {
    private static final List<SegmentOutline> ONE = Loops.chain(1);

    private static String first(Plan plan, LoopSpec loop) {
        return new SymbolicMachine(Unroller.unroll(plan, loop, false), plan).run(0).getFirst();
    }

    private static LoopSpec loop(double inputScale, int batch, int channels) {
        NoiseTable table = new NoiseTable("scaled", 1, List.of(new Row(0, inputScale, LinearForm.PREDICTION,
            LinearForm.ZERO, LinearForm.ZERO)));
        return Loops.loop(ONE, table, Guidance.NONE, batch, channels);
    }

    @Test
    void latentsOfTheRightScaleAndSizeAreTakenAsTheyAre() {
        Plan plan = Strategy.parse("sequential").plan(ONE, "eps", 1, false);
        assertEquals("C0[0](x0)", first(plan, loop(1, 1, 4)));
        assertEquals(1, Unroller.unroll(plan, loop(1, 1, 4), false).works().filter(Work.Combine.class::isInstance)
            .count(), "only the step of the noise scheduler");
        assertEquals("C0[0](0.5*x0)", first(plan, loop(0.5, 1, 4)));
    }

    @Test
    void bothBranchesTakeTheSameLatents() {
        Plan plan = Strategy.parse("sequential").plan(ONE, "eps", 1, true);
        assertEquals("C0[0](x0|x0)", first(plan, loop(1, 1, 4)).replaceAll(".*?(C0.*?\\)).*", "$1"));
    }

    @Test
    void extraChannelsLieBehindEachPicture() {
        Plan plan = Strategy.parse("sequential").plan(ONE, "eps", 1, false);
        assertEquals("C0[0](0.5*x0|extra_channels)", first(plan, loop(0.5, 1, 9)));
        assertEquals("C0[0](0.5*x0[0]|extra_channels[0]|0.5*x0[1]|extra_channels[1])", first(plan, loop(0.5, 2, 9)));
        Plan guided = Strategy.parse("sequential").plan(ONE, "eps", 1, true);
        assertEquals("C0[0](x0[0]|extra_channels[0]|x0[1]|extra_channels[1]|x0[0]|extra_channels[0]|x0[1]|"
            + "extra_channels[1])", first(guided, loop(1, 2, 9)).replaceAll(".*?(C0.*?\\)).*", "$1"));
    }

    @Test
    void stagesOfOneDeviceShareTheScaledLatents() {
        List<SegmentOutline> two = List.of(new SegmentOutline("A", 0, List.of("x", "t"), List.of("a")),
            new SegmentOutline("B", 1, List.of("x", "a", "t"), List.of("eps")));
        Plan plan = Strategy.parse("sequential").plan(two, "eps", 1, false);
        LoopSpec loop = Loops.loop(two, Loops.predictions(3), Guidance.NONE, 1, 4);
        Program program = Unroller.unroll(plan, loop, false);
        assertEquals(2 * 3, program.works().filter(Work.Combine.class::isInstance).count());
        Plan apart = Strategy.parse("sequential").plan(two, "eps", 2, false);
        Program spread = Unroller.unroll(apart, loop, false);
        assertEquals(3 * 3, spread.works().filter(Work.Combine.class::isInstance).count());
        assertEquals(new SymbolicMachine(program, plan).run(0), new SymbolicMachine(spread, apart).run(3));
        assertTrue(spread.works().filter(Work.Copy.class::isInstance).count() == 2 * 3, "latents and the edge");
    }

    @Test
    void whatIsKnownOfThePictureIsAddedWithItsWeights() {
        Plan plan = Strategy.parse("sequential").plan(ONE, "eps", 1, false);
        Known known = new Known(new Mix(3, 5), new Mix(7, 11), new Mix(13, 17));
        Row row = new Row(0, 1, new LinearForm(0, 2), LinearForm.ZERO, LinearForm.ZERO, Mix.NOTHING, LinearForm.ZERO,
            known, false);
        LoopSpec loop = Loops.loop(ONE, new NoiseTable("known", 1, List.of(row)), Guidance.NONE, 1, 4);
        assertEquals("{2.0*C0[0](x0)+13.0*known_image+21.0*known_noise}", first(plan, loop));
    }

    /** Also where two steps have the same timestep, so that steps differ in these copies alone. */
    @Test
    void eachStepCopiesItsTimestepOnEachDevice() {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse("asyncdiff:warmup=2,shift").plan(segments, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(segments, 6), new UnrollOptions(false, false, true, false));
        assertEquals(program.engineRuns(), program.works()
            .filter(work -> work instanceof Work.Copy<Region>(Region from, Region to) && to.bytes() == 8).count());
    }

    @Test
    void finiteChecksFollowTheirRunsAndAreNumberedInOrder() {
        List<SegmentOutline> segments = List.of(new SegmentOutline("A", 0, List.of("x", "t"), List.of("a", "index")),
            new SegmentOutline("B", 1, List.of("a", "index", "t"), List.of("eps")));
        LoopSpec loop = Loops.loop(segments, 3);
        loop = Loops.withType(loop, "index", TensorType.of(DataType.INT64, 4));
        Plan plan = Strategy.parse("sequential").plan(segments, "eps", 2, false);
        List<Work<Region>> works = Unroller.unroll(plan, loop, new UnrollOptions(false, false, false, true)).works()
            .toList();
        List<String> checked = new ArrayList<>();
        for (int index = 0; index < works.size(); index++) {
            if (works.get(index) instanceof Work.FiniteCheck<Region> check
                && works.get(index - 1) instanceof Work.Run<Region> run) {
                assertEquals(checked.size(), check.label());
                assertEquals(run.outputs().get(check.tensor()), check.value());
                assertEquals(4, check.mark().bytes());
                checked.add(check.tensor());
            }
        }
        assertEquals(List.of("a", "eps", "a", "eps", "a", "eps"), checked, "whole numbers are always finite");
    }
}
