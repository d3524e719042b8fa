package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Steps that take what earlier ones remembered, and their noise, as formulas. */
class HistoryStepsTest {
    private static final int STEPS = 5;
    /** Weights that tell which is which. */
    private static final List<Double> PAST = List.of(0.5, 0.25, 0.125, 0.0625);
    private static final List<Double> PAST_NOISE = List.of(16.0, 32.0, 64.0, 128.0);

    private final List<SegmentOutline> segments = Loops.chain(1);
    private final Plan plan = Strategy.parse("sequential").plan(segments, "eps", 1, false);

    private static Row row(int step, boolean noisy) {
        LinearForm next = new LinearForm(2, 0, 0, PAST.subList(0, Math.min(step, PAST.size())), noisy ? 8 : 0,
            noisy ? PAST_NOISE.subList(0, Math.min(step, PAST_NOISE.size())) : List.of());
        return new Row(step, 1, next, new LinearForm(0, 1), LinearForm.ZERO);
    }

    private Program program(boolean noisy) {
        LoopSpec plain = Loops.loop(segments, STEPS);
        NoiseTable table = new NoiseTable("history", 1, IntStream.range(0, STEPS).mapToObj(step -> row(step, noisy))
            .toList());
        return Unroller.unroll(plan, new LoopSpec(plain.ports(), table, plain.guidance(), plain.latents(),
            plain.types(), KeptLatents.LAST, Estimates.every(0)), false);
    }

    @Test
    void everyWeightOfThePastBelongsToTheStepSoManyBefore() {
        String x = "x0";
        List<String> remembered = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            List<String> terms = new ArrayList<>(List.of("2.0*" + x));
            for (int back = 0; back < Math.min(step, PAST.size()); back++) {
                terms.add(PAST.get(back) + "*" + remembered.get(step - 1 - back));
            }
            remembered.add("C0[" + step + "](" + x + ")");
            x = terms.size() == 1 ? terms.getFirst() : "{" + String.join("+", terms) + "}";
        }
        assertEquals(x, new SymbolicMachine(program(false), plan).run(1).getLast());
    }

    /** Latents, prediction, four memories and five noises are more than one combination takes. */
    @Test
    void sumsOfMoreTermsThanACombinationTakesAreMadeInParts() {
        Program program = program(true);
        assertTrue(program.works().allMatch(work -> work.reads().size() <= Combination.MAX_TERMS));
        String last = new SymbolicMachine(program, plan).run(1).getLast();
        String noise = last.substring(last.lastIndexOf("0.0625*"));
        assertEquals("8.0*noise+4,16.0*noise+3,32.0*noise+2,64.0*noise+1,128.0*noise", String.join(",",
            List.of(noise.replace("{", "").replace("}", "").split("\\+(?=\\d+\\.)")).subList(1, 6)), last);
    }

    @Test
    void asManyTermsAsACombinationTakesAreOneCombination() {
        List<Row> rows = IntStream.range(0, STEPS).mapToObj(step -> new Row(step, 1, step < STEPS - 1
            ? LinearForm.PREDICTION : new LinearForm(2, 0, 0, PAST.subList(0, 3), 8, PAST_NOISE.subList(0, 2)),
            LinearForm.PREDICTION, LinearForm.ZERO)).toList();
        LoopSpec loop = Loops.loop(segments, new NoiseTable("eight", 1, rows), Guidance.NONE, 1, 4);
        List<Work<Region>> works = Unroller.unroll(plan, loop, false).works().toList();
        assertEquals(Combination.MAX_TERMS, works.getLast().reads().size());
        assertTrue(works.get(works.size() - 2) instanceof Work.Run);
    }
}
