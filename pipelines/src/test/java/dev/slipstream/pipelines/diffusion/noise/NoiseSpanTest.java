package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Tables of a part of the way: together they are the table of the whole. */
class NoiseSpanTest {
    /** Methods whose steps know nothing of those before. */
    private static final List<String> FIRST_ORDER =
        List.of("ddim", "ddpm", "euler", "euler-karras", "euler-ancestral", "lcm", "flow-match-euler");

    /** Models of EDM call their timesteps by another measure, of which no share can be taken. */
    private static final List<String> METHODS =
        NoiseScheduler.methods().stream().filter(method -> !method.startsWith("edm-")).toList();

    private static NoiseScheduler scheduler(String method, String spacing) {
        return NoiseScheduler.parse(method.equals("flow-match-euler")
            ? "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3}" : """
                {"_class_name": "DDIMScheduler", "clip_sample": false, "skip_prk_steps": true, "beta_start": 0.00085,
                 "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "%s", "steps_offset": 1}
                """.formatted(spacing), "a test").withMethod(method);
    }

    @Provide
    Arbitrary<NoiseScheduler> schedulers() {
        return Combinators.combine(Arbitraries.of(METHODS),
            Arbitraries.of("leading", "trailing", "linspace")).as(NoiseSpanTest::scheduler);
    }

    @Provide
    Arbitrary<Double> shares() {
        return Arbitraries.doubles().between(0.001, 0.999).ofScale(4);
    }

    /** Empty if no step lies there. */
    private static List<Row> rows(NoiseScheduler scheduler, int steps, int first, NoiseSpan span) {
        try {
            return scheduler.table(steps, first, span).rows();
        } catch (NoiseSchedulerException none) {
            assertTrue(none.getMessage().startsWith("none of the " + (steps - first) + " steps of "),
                none.getMessage());
            return List.of();
        }
    }

    private static List<Double> timesteps(List<Row> rows) {
        return rows.stream().map(Row::timestep).toList();
    }

    /** Where steps begin. */
    private static List<Double> visited(NoiseTable table) {
        return timesteps(table.rows().stream().filter(row -> !row.continues()).toList());
    }

    private static List<Double> visited(NoiseScheduler scheduler, int steps, int first, NoiseSpan span) {
        List<Row> rows = rows(scheduler, steps, first, span);
        return rows.isEmpty() ? List.of() : visited(scheduler.table(steps, first, span));
    }

    @Property(tries = 500)
    void spansTogetherVisitAllTimestepsOfTheWhole(@ForAll("schedulers") NoiseScheduler scheduler,
        @ForAll @IntRange(min = 1, max = 50) int steps, @ForAll @IntRange(max = 49) int first,
        @ForAll("shares") double one, @ForAll("shares") double other) {
        Assume.that(first < steps && one != other);
        double early = Math.min(one, other);
        double late = Math.max(one, other);
        List<Double> joined = new ArrayList<>();
        for (NoiseSpan span : List.of(new NoiseSpan(0, early), new NoiseSpan(early, late), new NoiseSpan(late, 1))) {
            joined.addAll(visited(scheduler, steps, first, span));
        }
        assertEquals(visited(scheduler.table(steps, first)), joined);
    }

    @Property(tries = 300)
    void firstOrderMethodsTakeTheVeryStepsOfTheWhole(@ForAll @IntRange(min = 1, max = 50) int steps,
        @ForAll("shares") double handover) {
        for (String method : FIRST_ORDER) {
            NoiseScheduler scheduler = scheduler(method, "trailing");
            List<Row> joined = new ArrayList<>(rows(scheduler, steps, 0, new NoiseSpan(0, handover)));
            joined.addAll(rows(scheduler, steps, 0, new NoiseSpan(handover, 1)));
            assertEquals(scheduler.table(steps).rows(), joined, method);
        }
    }

    @Property(tries = 300)
    void methodsThatLookBackBeginAnew(@ForAll("schedulers") NoiseScheduler scheduler,
        @ForAll @IntRange(min = 2, max = 50) int steps, @ForAll("shares") double start) {
        List<Row> rows = rows(scheduler, steps, 0, new NoiseSpan(start, 1));
        Assume.that(!rows.isEmpty());
        assertTrue(rows.getFirst().next().past().isEmpty());
    }

    @Example
    void theWholeWayIsTheWholeTable() {
        for (String method : METHODS) {
            NoiseScheduler scheduler = scheduler(method, "leading");
            assertEquals(scheduler.table(20), scheduler.table(20, 0, NoiseSpan.WHOLE), method);
            assertEquals(scheduler.table(20, 5), scheduler.table(20, 5, NoiseSpan.WHOLE), method);
        }
    }

    /** SDXL: 50 steps, leading spacing with offset 1, of which the base takes those from timestep 200 up. */
    @Example
    void theBaseTakesTheTimestepsFromTheCutoffUpAndTheRefinerTheRest() {
        NoiseScheduler euler = scheduler("euler", "leading");
        assertEquals(IntStream.range(0, 40).mapToObj(step -> 981.0 - 20 * step).toList(),
            timesteps(euler.table(50, 0, new NoiseSpan(0, 0.8)).rows()));
        assertEquals(IntStream.range(0, 10).mapToObj(step -> 181.0 - 20 * step).toList(),
            timesteps(euler.table(50, 0, new NoiseSpan(0.8, 1)).rows()));
    }

    @Example
    void aTimestepAtTheCutoffIsTheEarlierModels() {
        NoiseScheduler trailing = scheduler("ddim", "trailing");
        // 999, 899 ... 99; 1000 - 0.801 * 1000 is 199.
        assertEquals(List.of(999.0, 899.0, 799.0, 699.0, 599.0, 499.0, 399.0, 299.0, 199.0),
            timesteps(trailing.table(10, 0, new NoiseSpan(0, 0.801)).rows()));
        assertEquals(List.of(199.0, 99.0), timesteps(trailing.table(10, 0, new NoiseSpan(0.8, 1)).rows()));
    }

    /** Python rounds so, too: round(500.5) is 500, so 500 is not below the cutoff. */
    @Example
    void cutoffsAreRoundedToEven() {
        NoiseScheduler linspace = scheduler("ddim", "linspace");
        assertEquals(List.of(999.0, 500.0), timesteps(linspace.table(3, 0, new NoiseSpan(0, 0.4995)).rows()));
        assertEquals(List.of(0.0), timesteps(linspace.table(3, 0, new NoiseSpan(0.4995, 1)).rows()));
    }

    @Example
    void pndmRestartVisitsTheSecondTimestepOfEverySpanTwice() {
        NoiseScheduler pndm = scheduler("pndm-restart", "leading");
        assertEquals(List.of(901.0, 801.0, 801.0, 701.0, 601.0, 501.0),
            timesteps(pndm.table(10, 0, new NoiseSpan(0, 0.5)).rows()));
        assertEquals(List.of(401.0, 301.0, 301.0, 201.0, 101.0, 1.0),
            timesteps(pndm.table(10, 0, new NoiseSpan(0.5, 1)).rows()));
        assertEquals(List.of(801.0, 701.0, 701.0), timesteps(pndm.table(10, 0, new NoiseSpan(0.1, 0.35)).rows()));
    }

    /** diffusers cuts the list of visits, and calls the second of a span that of a beginning. */
    @Example
    void pndmVisitsEveryTimestepOfALaterSpanOnceAndStandsStillAtTheSecond() {
        NoiseScheduler pndm = scheduler("pndm", "leading");
        List<Row> rows = pndm.table(10, 0, new NoiseSpan(0.5, 1)).rows();
        assertEquals(List.of(401.0, 301.0, 201.0, 101.0, 1.0), timesteps(rows));
        assertEquals(rows.get(1).next().prediction(), rows.get(1).next().past().getFirst()
            + rows.getFirst().next().prediction(), 1e-12);
        assertEquals(1, rows.get(1).next().latent(), 1e-12);
    }

    @Example
    void aStepOfTwoRowsLiesWhereItsFirstRowDoes() {
        NoiseScheduler heun = scheduler("heun", "leading");
        assertEquals(List.of(901.0, 801.0, 801.0, 701.0),
            timesteps(heun.table(10, 0, new NoiseSpan(0, 0.2)).rows()));
        assertEquals(701.0, heun.table(10, 0, new NoiseSpan(0.2, 1)).rows().getFirst().timestep());
    }

    @Example
    void aPartWithoutAStepIsRefused() {
        NoiseScheduler ddim = scheduler("ddim", "leading");
        String message = assertThrows(NoiseSchedulerException.class,
            () -> ddim.table(3, 0, new NoiseSpan(0.999, 1))).getMessage();
        assertTrue(message.contains("3 steps of ddim") && message.contains("from 0.999 to 1.0"), message);
        assertThrows(NoiseSchedulerException.class, () -> ddim.table(3, 0, new NoiseSpan(0, 0.01)));
        assertThrows(NoiseSchedulerException.class, () -> ddim.table(4, 3, new NoiseSpan(0, 0.8)));
    }

    @Example
    void aSpanLiesBetween0And1() {
        double[][] wrong = {{0.5, 0.5}, {0.6, 0.4}, {-0.1, 0.5}, {0.5, 1.1}, {Double.NaN, 1}, {0, Double.NaN}};
        for (double[] span : wrong) {
            assertThrows(IllegalArgumentException.class, () -> new NoiseSpan(span[0], span[1]));
        }
        assertArrayEquals(new boolean[] {true, true},
            new boolean[] {NoiseSpan.WHOLE.isFirst(), NoiseSpan.WHOLE.isLast()});
    }
}
