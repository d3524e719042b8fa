package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that take a limited clean image, as formulas. */
class LimitedStepsTest {
    private static final int STEPS = 4;
    private static final LinearForm CLEAN = new LinearForm(2, -1);
    private static final Optional<Limit> ONE = Optional.of(new Limit.Clamp(1));

    /** Half of the limited image, and of that of the step before. */
    private static Row row(int step) {
        return new Row(step, 1, new LinearForm(0, 0, 0.5, step == 0 ? List.of() : List.of(0.25), 0, List.of()),
            LinearForm.CLEAN, LinearForm.CLEAN, Mix.NOTHING).withClean(CLEAN);
    }

    private static NoiseTable table() {
        return new NoiseTable("limited", 1, IntStream.range(0, STEPS).mapToObj(LimitedStepsTest::row).toList(), ONE);
    }

    private static LoopSpec loop(List<SegmentOutline> segments, NoiseTable noise, Estimates estimates) {
        LoopSpec plain = Loops.loop(segments, STEPS);
        return new LoopSpec(plain.ports(), noise, plain.guidance(), plain.latents(), plain.types(),
            KeptLatents.LAST, estimates);
    }

    private static String prediction(int step, String latents) {
        return "C1[" + step + "](C0[" + step + "](" + latents + "))";
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff:warmup=4"})
    void theLimitStandsBetweenThePredictionAndWhateverIsMadeOfTheCleanImage(String spec) {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse(spec).plan(segments, "eps", 2, false);
        for (boolean copyStreams : new boolean[] {false, true}) {
            Program program = Unroller.unroll(plan, loop(segments, table(), Estimates.every(1)), copyStreams);
            for (int seed = 0; seed < 25; seed++) {
                SymbolicMachine machine = new SymbolicMachine(program, plan);
                List<String> latents = machine.run(seed);
                String x = "x0";
                String before = null;
                List<String> expected = new ArrayList<>();
                for (int step = 0; step < STEPS; step++) {
                    String limited = "limited({2.0*" + x + "+-1.0*" + prediction(step, x) + "})";
                    x = before == null ? "0.5*" + limited : "0.5*" + limited + "+0.25*" + before;
                    x = before == null ? "0.5*" + limited : "{" + x + "}";
                    before = limited;
                    expected.add(x);
                    if (step < STEPS - 1) {
                        assertEquals(limited, machine.estimates().get(step), "the estimate of step " + step);
                    }
                }
                assertEquals(expected, latents);
            }
        }
    }

    @Test
    void aCleanImageIsLimitedOnceAStepWhateverIsMadeOfIt() {
        assertEquals(STEPS, limits(table(), Estimates.every(1)));
        assertEquals(STEPS, limits(table(), Estimates.NONE));
    }

    @Test
    void whatIsNotTakenIsNotLimited() {
        List<Row> rows = IntStream.range(0, STEPS).mapToObj(step -> new Row(step, 1, new LinearForm(0, 1, List.of(), 0),
            LinearForm.CLEAN, LinearForm.CLEAN, Mix.NOTHING).withClean(CLEAN)).toList();
        NoiseTable table = new NoiseTable("unlimited", 1, rows, ONE);
        assertEquals(0, limits(table, Estimates.NONE));
        assertEquals(1, limits(table, Estimates.every(2)));
    }

    /** A step that takes nothing but its latents still reads the prediction: its event comes after the stages' runs. */
    @Test
    void aStepReadsThePredictionUnlessItTakesTheLimitedImageInstead() {
        assertEquals(List.of(2, 2), terms(row(0), ONE), "the free image is made of two, and the limited one is read");
        assertEquals(List.of(2), terms(new Row(0, 1, LinearForm.LATENT, LinearForm.ZERO, LinearForm.ZERO),
            Optional.empty()));
    }

    /** How much the works behind the stage's run read, but the limit itself. */
    private static List<Integer> terms(Row row, Optional<Limit> limit) {
        List<SegmentOutline> segments = Loops.chain(1);
        Plan plan = Strategy.parse("sequential").plan(segments, "eps", 1, false);
        return Unroller.unroll(plan, loop(segments, new NoiseTable("one", 1, List.of(row), limit), Estimates.NONE),
            false).works().filter(Work.Combine.class::isInstance).map(work -> work.reads().size()).toList();
    }

    private static long limits(NoiseTable table, Estimates estimates) {
        List<SegmentOutline> segments = Loops.chain(2);
        Plan plan = Strategy.parse("sequential").plan(segments, "eps", 1, false);
        return Unroller.unroll(plan, loop(segments, table, estimates), false).works()
            .filter(Work.Limiting.class::isInstance).count();
    }

    @Test
    void aTableSaysWhatIsLimitedAndHow() {
        List<Row> rows = List.of(row(0));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("limited", 1, rows));
        assertThrows(IllegalArgumentException.class,
            () -> new NoiseTable("limited", 1, List.of(rows.getFirst().withClean(LinearForm.ZERO)), ONE));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("limited", 1,
            List.of(rows.getFirst().withClean(new LinearForm(0, Double.NaN))), ONE));
        assertThrows(IllegalArgumentException.class, () -> new NoiseTable("limited", 1,
            List.of(rows.getFirst().withClean(LinearForm.CLEAN)), ONE), "the limited image of itself");
        assertEquals(ONE, table().withRows(rows).limit());
    }

    @Test
    void theKnownPartOfAPictureIsLedPastTheLimit() {
        List<Row> rows = IntStream.range(0, STEPS).mapToObj(step -> {
            Mix level = new Mix(0.2 * step, 1 - 0.2 * step);
            return new Row(step, 1, new LinearForm(0.3, 0.1, 0.5, step == 0 ? List.of() : List.of(0.25), 0, List.of()),
                new LinearForm(0.1, 0.2, 0.7), new LinearForm(0.4, 0, 0.6), level).withClean(CLEAN);
        }).toList();
        Mix begin = new Mix(0, 1);
        NoiseTable table = new NoiseTable("limited", 1, rows, ONE).repainting(begin);
        for (Map.Entry<Double, Double> known : Map.of(3.0, -0.5, -1.0, 7.0).entrySet()) {
            double x = at(begin, known);
            List<Double> history = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                Row row = table.rows().get(step);
                double prediction = at(row.known().prediction(), known);
                double clean = Math.clamp(row.clean().latent() * x + row.clean().prediction() * prediction, -1, 1);
                double next = row.next().latent() * x + row.next().prediction() * prediction
                    + row.next().clean() * clean + (step == 0 ? 0 : 0.25 * history.getLast())
                    + at(row.known().next(), known);
                double estimate = row.estimate().latent() * x + row.estimate().clean() * clean
                    + at(row.known().estimate(), known);
                assertEquals(known.getKey(), estimate, 1e-12, "the estimate is the picture");
                history.add(row.history().latent() * x + row.history().prediction() * prediction
                    + row.history().clean() * clean);
                x = next;
                assertEquals(step + 1 < STEPS ? at(rows.get(step + 1).level(), known) : known.getKey(), x, 1e-12);
            }
        }
    }

    private static double at(Mix mix, Map.Entry<Double, Double> known) {
        return mix.image() * known.getKey() + mix.noise() * known.getValue();
    }

    @Test
    void aBoundThatDependsOnTheWholePictureRefusesAKnownPart() {
        NoiseTable table = new NoiseTable("threshold", 1, List.of(row(0)),
            Optional.of(new Limit.DynamicThreshold(0.995f, 1)));
        String message = assertThrows(IllegalArgumentException.class, () -> table.repainting(Mix.CLEAN)).getMessage();
        assertTrue(message.contains("mask"), message);
    }
}
