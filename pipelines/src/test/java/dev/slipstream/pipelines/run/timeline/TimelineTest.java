package dev.slipstream.pipelines.run.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Recording;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Flow;
import dev.slipstream.pipelines.run.timeline.Timeline.Intervals.Interval;
import dev.slipstream.pipelines.run.timeline.Timeline.Intervals;
import dev.slipstream.pipelines.run.timeline.Timeline.Lane;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import dev.slipstream.pipelines.run.unroll.Loops;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a timeline answers. */
class TimelineTest {
    private static final List<Lane> LANES = List.of(new Lane(0, "a", false), new Lane(1, "b", false),
        new Lane(0, "a", true));

    private static Span span(int lane, Activity activity, long start, long end) {
        return new Span(0, lane, 0, activity, start, end, end - start);
    }

    private static Timeline timeline(long end, Span... spans) {
        return new Timeline(LANES, List.of("first"), end, List.of(spans), List.of());
    }

    private static List<String> text(Intervals intervals) {
        return intervals.all().stream().map(it -> it.startNanos() + "-" + it.endNanos()).toList();
    }

    @Test
    void aDeviceIsBusyWhileItComputes() {
        Timeline timeline = timeline(100, span(0, new Activity.Stage(0), 0, 30), span(0, new Activity.Wait(), 30, 50),
            span(0, new Activity.Arithmetic("a combination"), 50, 60), span(2, new Activity.Copy(0, 1, 8), 60, 90));

        assertEquals(List.of("0-30", "50-60"), text(timeline.busy(0)));
        assertEquals(List.of("30-50", "60-100"), text(timeline.bubbles(0)));
        assertEquals(0.4, timeline.utilisation(0));
        assertEquals(0, timeline.utilisation(1));
        assertEquals(0.2, timeline.utilisation());
        assertEquals(List.of("0-100"), text(timeline.bubbles(1)));
    }

    @Test
    void aCopyIsExposedWhereTheDeviceThatGetsItDoesNotCompute() {
        Timeline timeline = timeline(100, span(1, new Activity.Stage(0), 20, 60),
            span(1, new Activity.Stage(1), 70, 80), span(2, new Activity.Copy(0, 1, 8), 10, 65),
            span(1, new Activity.Copy(0, 1, 8), 60, 70), span(1, new Activity.Copy(1, 1, 8), 80, 90));

        assertEquals(List.of("10-20", "60-70"), text(timeline.exposedCopies(1)));
        assertEquals(20, timeline.exposedCopies(1).nanos());
        assertEquals(0, timeline.exposedCopies(0).nanos(), "a device that sends goes on");
    }

    @Test
    void aPartOfTheTimeIsATimelineOfItsOwn() {
        Timeline part = timeline(100, span(0, new Activity.Stage(0), 0, 30), span(0, new Activity.Stage(0), 30, 50),
            span(1, new Activity.Stage(1), 60, 90)).between(20, 60);

        assertEquals(40, part.endNanos());
        assertEquals(List.of("0-30"), text(part.busy(0)));
        assertEquals(List.of(10L, 20L), part.spans().stream().map(Span::busyNanos).toList());
        assertEquals(0, part.busy(1).nanos());
    }

    @Test
    void theMedianOfAStageIsTakenOfItsBusyTime() {
        Timeline timeline = timeline(300, new Span(0, 0, 0, new Activity.Stage(4), 0, 100, 30),
            new Span(1, 0, 1, new Activity.Stage(4), 100, 200, 10),
            new Span(2, 0, 2, new Activity.Stage(4), 200, 300, 20),
            new Span(3, 0, 2, new Activity.Stage(5), 0, 7, 7));

        assertEquals(Map.of(4, 20L, 5, 7L), timeline.medianBusyNanos());
        assertEquals(Map.of(), timeline(0).medianBusyNanos());
        assertEquals(0, timeline(0).utilisation());
    }

    @Test
    void stagesHaveTheNamesThatTheyAreGiven() {
        assertEquals("first", timeline(0).stage(0));
        assertEquals("stage 1", timeline(0).stage(1));
        assertEquals("second", timeline(0).named(List.of("first", "second")).stage(1));
    }

    @Test
    void intervalsAreMergedAndTakenAwayFromEachOther() {
        Intervals some = Intervals.of(List.of(new Interval(5, 9), new Interval(0, 3), new Interval(2, 4),
            new Interval(9, 12), new Interval(20, 20)));

        assertEquals(List.of("0-4", "5-12"), text(some));
        assertEquals(11, some.nanos());
        assertEquals(List.of("0-1", "2-4", "5-6", "11-12"), text(some.minus(Intervals.of(
            List.of(new Interval(1, 2), new Interval(6, 11), new Interval(14, 30))))));
        assertEquals(List.of(), text(some.minus(some)));
    }

    /** From where it is made to its copy, from there to where it is read, and the latents back. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void valuesFlowFromWhoMakesThemToWhoReadsThemOnOtherLanes(boolean copyStreams) {
        Plan plan = Strategy.parse("asyncdiff:warmup=1").plan(Loops.chain(2), "eps", 2, false);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), 4), copyStreams);

        List<Flow> flows = new Recording(program, List.of("a", "b"), List.of()).timeline(0).flows();

        for (Flow flow : flows) {
            Instruction.Launch from = (Instruction.Launch) program.instructions().get(flow.from());
            Instruction.Launch to = (Instruction.Launch) program.instructions().get(flow.to());
            assertEquals(1, from.work().writes().stream().filter(to.work().reads()::contains).count());
            assertEquals(true, from.stream() != to.stream() && flow.from() < flow.to());
        }
        long copies = program.works().filter(Work.Copy.class::isInstance).count();
        assertEquals((copyStreams ? 2 * copies : copies) - 1, flows.size(), "the host has made the first latents");
    }

    @Test
    void whatRanBesideALoopHasALaneOfItsOwnOnItsDevice() {
        Timeline loop = new Timeline(List.of(new Lane(0, "a", false), new Lane(1, "b", false)), List.of("stage"), 100,
            List.of(new Span(4, 1, 0, new Activity.Stage(0), 0, 100, 100)), List.of());

        Timeline both = loop.with(1, "decode", -20, 30).with(1, "encode", 40, 200);

        assertEquals(List.of(new Lane(0, "a", false), new Lane(1, "b", false), new Lane(1, "b", false)), both.lanes());
        assertEquals(List.of("stage", "decode", "encode"), both.spans().stream().map(both::name).toList());
        assertEquals(List.of(0L, 0L, 40L), both.spans().stream().map(Span::startNanos).toList());
        assertEquals(List.of(100L, 30L, 100L), both.spans().stream().map(Span::endNanos).toList());
        assertEquals(3, both.spans().stream().map(Span::instruction).distinct().count());
        assertEquals(loop, loop.with(1, "decode", 100, 150), "it is over before");
        assertEquals(1, loop.with(0, "decode", 0, 100).utilisation(0));
    }
}
