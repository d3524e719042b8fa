package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the copies between devices stand in a program: there is no overlap where they come late. */
class CopiesTest {
    private static final int STEPS = 6;

    /** A copy of what a stage made: how many runs of stages stand between the two, and the steps of both. */
    private record Way(int runsBetween, int madeAt, int copiedAt, int stream, int maker) {
    }

    private static List<Way> ways(Program program) {
        List<Way> ways = new ArrayList<>();
        Map<Region, Instruction.Launch> makers = new HashMap<>();
        List<Instruction.Launch> runs = new ArrayList<>();
        for (Instruction instruction : program.instructions()) {
            if (!(instruction instanceof Instruction.Launch launch)) {
                continue;
            }
            if (launch.work() instanceof Work.Copy<Region> copy && makers.containsKey(copy.from())) {
                Instruction.Launch maker = makers.get(copy.from());
                ways.add(new Way(runs.size() - 1 - runs.indexOf(maker), maker.step(), launch.step(), launch.stream(),
                    maker.stream()));
            }
            launch.work().writes().forEach(makers::remove);
            if (launch.work() instanceof Work.Run<Region> run) {
                runs.add(launch);
                run.writes().forEach(region -> makers.put(region, launch));
            }
        }
        return ways;
    }

    private static Program unroll(String spec, List<SegmentOutline> segments, boolean copyStreams) {
        Plan plan = Strategy.parse(spec).plan(segments, "eps", 3, false);
        return Unroller.unroll(plan, Loops.loop(segments, STEPS), copyStreams);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "asyncdiff", "asyncdiff:warmup=2,tail=1", "asyncdiff:stride=2,form=paper"})
    void withCopyStreamsValuesAreCopiedAsSoonAsTheyAreMade(String spec) {
        List<Way> ways = ways(unroll(spec, Loops.chain(3), true));
        assertTrue(ways.size() >= STEPS - 1, ways::toString);
        for (Way way : ways) {
            assertEquals(0, way.runsBetween(), way::toString);
            assertEquals(way.madeAt(), way.copiedAt(), way::toString);
            assertEquals(3 + way.maker(), way.stream(), "the copies of a device have a stream of their own");
        }
    }

    /** The branch without the text is predicted on the other device, before the one with it in program order. */
    @Test
    void thePredictionOfAnotherDeviceIsCopiedAsSoonAsItIsMade() {
        List<SegmentOutline> segments = Loops.withText(Loops.chain(1));
        Plan plan = Strategy.parse("cfg-split").plan(segments, "eps", 2, true);
        List<Way> ways = ways(Unroller.unroll(plan,
            Loops.loop(segments, Loops.predictions(STEPS), Guidance.of(2), 1, 4), true));
        assertEquals(STEPS, ways.size());
        assertTrue(ways.stream().allMatch(way -> way.runsBetween() == 0 && way.stream() == 2), ways::toString);
    }

    /** The copies come from one stream, one after the other, so a wait for the last is one for both. */
    @Test
    void twoCopiesFromOneStreamAreWaitedForOnce() {
        List<SegmentOutline> fan = List.of(new SegmentOutline("A", 0, List.of("x", "t"), List.of("a", "b")),
            new SegmentOutline("B", 1, List.of("a", "b", "t"), List.of("eps")));
        Plan plan = Strategy.parse("sequential").plan(fan, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(fan, STEPS), true);
        assertEquals(STEPS, program.instructions().stream()
            .filter(it -> it instanceof Instruction.Wait && it.stream() == 1).count());
        new SymbolicMachine(program, plan).run(5);
    }

    /** Only latents, and what the noise scheduler takes, which combines what lies on its own device. */
    @Test
    void whatIsReadInPlaceIsNotCopied() {
        Plan plan = Strategy.parse("asyncdiff:warmup=2").plan(Loops.chain(3), "eps", 3, false);
        Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(3), STEPS), UnrollOptions.IN_PLACE);
        assertTrue(ways(program).stream().allMatch(way -> way.stream() == plan.home()), () -> ways(program).toString());
        assertTrue(ways(program).size() < ways(unroll("asyncdiff:warmup=2", Loops.chain(3), false)).size());
    }

    @Test
    void latentsAreCopiedToEveryDeviceWhoseStagesTakeThem() {
        List<SegmentOutline> all = List.of(new SegmentOutline("A", 0, List.of("x", "t"), List.of("a")),
            new SegmentOutline("B", 1, List.of("x", "a", "t"), List.of("b")),
            new SegmentOutline("C", 2, List.of("b", "t"), List.of("eps")));
        Plan plan = Strategy.parse("sequential").plan(all, "eps", 3, false);
        assertEquals("C[0](B[0](x0,A[0](x0)))",
            new SymbolicMachine(Unroller.unroll(plan, Loops.loop(all, STEPS), false), plan).run(1).getFirst());
    }

    /** Then a value that lags has long been ready, and no stream waits for it. */
    @ParameterizedTest
    @CsvSource({"sequential,0", "asyncdiff,1"})
    void withoutCopyStreamsTheReaderCopiesWhenItWantsThem(String spec, int slip) {
        List<Way> ways = ways(unroll(spec, Loops.chain(3), false));
        assertTrue(ways.size() >= STEPS, ways::toString);
        for (Way way : ways) {
            int expected = way.madeAt() == 0 && way.copiedAt() == 0 ? 0 : slip;
            assertEquals(expected, way.copiedAt() - way.madeAt(), way::toString);
            assertTrue(way.stream() < 3 && way.stream() != way.maker(), way::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aValueIsCopiedOnceForADeviceHoweverManyReadIt(boolean copyStreams) {
        List<SegmentOutline> fan = List.of(new SegmentOutline("A", 0, List.of("x", "t"), List.of("a")),
            new SegmentOutline("B", 1, List.of("a", "t"), List.of("b")),
            new SegmentOutline("C", 1, List.of("a", "b", "t"), List.of("eps")));
        Plan plan = Strategy.parse("sequential").plan(fan, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(fan, STEPS), copyStreams);
        assertEquals(2 * STEPS, program.works().filter(Work.Copy.class::isInstance).count(), "a and the latents");
    }
}
