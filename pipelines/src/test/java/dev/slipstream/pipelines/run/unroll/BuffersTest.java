package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How many buffers programs have, and that values find their places in them. */
class BuffersTest {
    /** The first segment makes a tensor that no segment reads. */
    private static final List<SegmentOutline> UNREAD = List.of(
        new SegmentOutline("A", 0, List.of("x", "t"), List.of("a", "unread")),
        new SegmentOutline("B", 1, List.of("a", "t"), List.of("eps")));

    private static int buffers(String spec, List<SegmentOutline> segments, int steps, boolean repeating) {
        Plan plan = Strategy.parse(spec).plan(segments, "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(segments, steps),
            new UnrollOptions(true, false, repeating, false));
        List<String> formulas = new SymbolicMachine(program, plan).run(steps);
        assertTrue(formulas.stream().noneMatch(formula -> formula.contains("garbage")));
        return program.buffers().size();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void valuesThatAreNotReadGiveTheirBuffersBackAtOnce(boolean repeating) {
        for (String spec : List.of("sequential", "asyncdiff", "asyncdiff:warmup=2,tail=2")) {
            int few = buffers(spec, UNREAD, 12, repeating);
            assertEquals(few, buffers(spec, UNREAD, 40, repeating), spec);
            assertTrue(few <= buffers(spec, Loops.chain(2), 12, repeating) + 4, spec + " has " + few);
        }
    }

    /** One device: the latents before a step, and what one segment reads and another writes, take turns. */
    @Test
    void asFewBuffersAsTheValuesThatAreNeededAtATime() {
        Plan plan = Strategy.parse("sequential").plan(Loops.chain(3), "eps", 1, false);
        Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(3), 10), false);
        assertEquals(5, program.buffers().size(), "host values, the last latents, and three that take turns");
        long bytes = TensorType.of(DataType.FLOAT32, 1, 4, 8, 8).bytes();
        assertEquals(4 * bytes, IntStream.range(1, 5).mapToLong(index -> program.buffers().get(index).bytes()).sum());
    }

    @Test
    void hostValuesOfADeviceLieInOneBufferBehindEachOtherAtMultiplesOf256() {
        Plan plan = Strategy.parse("sequential").plan(Loops.chain(2), "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 3),
            new UnrollOptions(false, false, false, true));
        long bytes = TensorType.of(DataType.FLOAT32, 1, 4, 8, 8).bytes();
        assertEquals(List.of(new Region(0, 0, 8), new Region(0, 256, 4), new Region(0, 512, 8),
            new Region(0, 768, 8)), program.hostInputs().stream().map(HostInput::to).filter(to -> to.buffer() == 0)
            .toList());
        assertEquals(1024, program.buffers().get(0).bytes());
        assertEquals(bytes + 4 * 256, program.buffers().get(1).bytes());
        assertEquals(List.of(0, 1), List.of(program.buffers().get(0).device(), program.buffers().get(1).device()));
    }

    @Test
    void repeatingBuffersOfARoleComeBackAfterOneTwoOrFourSteps() {
        for (String spec : List.of("sequential", "asyncdiff", "asyncdiff:staleness=reference")) {
            Plan plan = Strategy.parse(spec).plan(Loops.chain(2), "eps", 2, false);
            Program program = Unroller.unroll(plan, Loops.loop(Loops.chain(2), 24),
                new UnrollOptions(true, false, true, false));
            for (int stage = 0; stage < 2; stage++) {
                int it = stage;
                List<List<Region>> runs = Programs.runs(program).filter(run -> run.stage() == it)
                    .map(run -> List.copyOf(run.tensors().values())).toList();
                assertEquals(runs.subList(8, 12), runs.subList(12, 16), spec + " stage " + stage);
            }
        }
    }

    @Test
    void latentsThatAreKeptAndEstimatesHaveBuffersOfTheirOwn() {
        Plan plan = Strategy.parse("sequential").plan(Loops.chain(1), "eps", 1, false);
        Program program = Unroller.unroll(plan, Loops.kept(Loops.loop(Loops.chain(1), 6, 2)), false);
        assertEquals(6, program.latents().stream().map(Region::buffer).distinct().count());
        assertEquals(2, program.estimates().values().stream().map(Region::buffer).distinct().count());
        List<Integer> pinned = program.latents().stream().map(Region::buffer).toList();
        assertTrue(program.estimates().values().stream().noneMatch(region -> pinned.contains(region.buffer())));
    }
}
