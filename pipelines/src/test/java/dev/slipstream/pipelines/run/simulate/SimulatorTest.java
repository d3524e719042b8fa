package dev.slipstream.pipelines.run.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Forecast.Memory;
import dev.slipstream.pipelines.run.simulate.Interconnect.Link;
import dev.slipstream.pipelines.run.simulate.Interconnect.Route;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.unroll.Loops;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs in virtual time. A stage takes 10 ns times its number and one, anything else 3; links move a byte a ns. */
class SimulatorTest {
    private static final double BYTE_A_NANO = 1e9;

    private static long nanos(int device, Work<Region> work) {
        return work instanceof Work.Run<Region> run ? 10L * (run.stage() + 1) : 3;
    }

    private static Machine machine(int devices) {
        return Machine.ideal(devices, SimulatorTest::nanos);
    }

    private static List<String> spans(Timeline timeline) {
        return timeline.spans().stream().map(span -> span.lane() + " " + (span.step() + 1) + " "
            + switch (span.activity()) {
                case Activity.Stage stage -> "stage " + stage.stage();
                case Activity.Copy copy -> "copy " + copy.bytes();
                case Activity.Arithmetic it -> it.name();
                case Activity.Wait wait -> "wait";
            } + " " + span.startNanos() + "-" + span.endNanos()).toList();
    }

    private static List<String> copies(Program program, Interconnect interconnect) {
        return spans(Simulator.simulate(program, machine(4).with(interconnect)).timeline()).stream()
            .filter(span -> span.contains("copy")).toList();
    }

    @Test
    void streamsRunAtTheSameTimeUnlessTheyWait() {
        Program program = new Steps(2).run(0, 0).run(0, 1).launch(1, new Work.Copy<>(Steps.on(1, 8), Steps.on(1, 8)))
            .run(1, 2).then(0, 1).end(1).run(1, 0).then(1, 0).run(0, 0).end(0).program();

        Forecast forecast = Simulator.simulate(program, machine(2));

        assertEquals(List.of("0 1 stage 0 0-10", "0 1 stage 1 10-30", "1 1 copy 8 0-3", "1 1 stage 2 3-33",
            "1 2 stage 0 33-43", "0 2 wait 30-43", "0 2 stage 0 43-53"), spans(forecast.timeline()));
        assertEquals(53, forecast.latencyNanos());
    }

    /** The host waits for stage 1, and queues nothing for anybody meanwhile; streams go on with what they have. */
    @Test
    void nothingBehindADecisionStartsBeforeItIsMade() {
        Program program = new Steps(2).run(0, 1).run(1, 0).decide(0).run(1, 0, true).run(1, 3, false).end(1).program();

        Forecast runs = Simulator.simulate(program, machine(2), launch -> launch.condition()
            .map(condition -> condition.outcome()).orElse(true));
        assertEquals(List.of("0 1 stage 1 0-20", "1 1 stage 0 0-10", "1 1 stage 0 20-30"), spans(runs.timeline()));
        Forecast rests = Simulator.simulate(program, machine(2), launch -> launch.condition()
            .map(condition -> !condition.outcome()).orElse(true));
        assertEquals("1 1 stage 3 20-60", spans(rests.timeline()).getLast());
        assertEquals(runs.latencyNanos(), Simulator.simulate(program, machine(2)).latencyNanos(), "as is expected");
        assertTrue(runs.latencyNanos() < rests.latencyNanos());
    }

    @Test
    void copiesThatShareALinkHaveEqualSharesOfIt() {
        Program program = new Steps(4).copy(0, 1, 100).copy(2, 3, 40).end(4).program();

        assertEquals(List.of("4 1 copy 100 0-140", "6 1 copy 40 0-80"),
            copies(program, new Interconnect.Bus(BYTE_A_NANO, 0)));
        assertEquals(List.of("4 1 copy 100 0-100", "6 1 copy 40 0-40"),
            copies(program, new Interconnect.Star(BYTE_A_NANO, 0)));
        assertEquals(List.of("4 1 copy 100 0-0", "6 1 copy 40 0-0"), copies(program, Interconnect.INSTANT));
    }

    @Test
    void aCopyThatComesLaterSlowsTheOthersFromThenOn() {
        Program program = new Steps(4).copy(0, 1, 100).run(2, 2).then(2, 6).copy(2, 3, 100).end(4).program();

        assertEquals(List.of("4 1 copy 100 0-170", "6 1 copy 100 30-200"),
            copies(program, new Interconnect.Bus(BYTE_A_NANO, 0)));
    }

    @Test
    void aSwitchSharesThePortOfADeviceAndNothingElse() {
        Interconnect star = new Interconnect.Star(BYTE_A_NANO, 0);
        Program toOne = new Steps(4).copy(0, 3, 100).copy(1, 3, 100).copy(2, 0, 100).end(4).program();

        assertEquals(List.of("4 1 copy 100 0-200", "5 1 copy 100 0-200", "6 1 copy 100 0-100"), copies(toOne, star));
        assertEquals(List.of("4 1 copy 100 0-100", "5 1 copy 100 0-100", "6 1 copy 100 0-100"),
            copies(toOne, new Interconnect.Mesh(BYTE_A_NANO, 0)));
    }

    @Test
    void aCopyIsAsFastAsTheSlowestLinkOnItsWay() {
        Link fast = new Link("fast", 4 * BYTE_A_NANO);
        Link slow = new Link("slow", BYTE_A_NANO / 2);
        Program program = new Steps(4).copy(0, 1, 100).copy(2, 3, 100).end(4).program();

        assertEquals(List.of("4 1 copy 100 0-205", "6 1 copy 100 0-55"), copies(program, (from, to) ->
            from == 0 ? new Route(5, List.of(fast, slow)) : new Route(5, List.of(fast))));
    }

    @Test
    void noLinkIsBusyBeforeTheFirstByteMoves() {
        Program program = new Steps(4).copy(0, 1, 100).copy(2, 3, 100).end(4).program();

        assertEquals(List.of("4 1 copy 100 0-107", "6 1 copy 100 0-307"), copies(program, (from, to) ->
            new Route(from == 0 ? 7 : 207, List.of(new Link("one", BYTE_A_NANO)))));
    }

    @Test
    void aMachineWithoutAWayForACopyIsRefused() {
        Interconnect none = (from, to) -> {
            throw new IllegalArgumentException("no way from device " + from + " to device " + to);
        };
        Program program = new Steps(4).copy(0, 1, 100).end(4).program();

        assertEquals("no way from device 0 to device 1",
            assertThrows(IllegalArgumentException.class, () -> copies(program, none)).getMessage());
    }

    @Test
    void aMachineThatCannotBeIsRefused() {
        Program program = new Steps(3).run(2, 0).end(2).program();

        assertEquals("the program is for 3 devices, and the machine has 2",
            assertThrows(IllegalArgumentException.class, () -> Simulator.simulate(program, machine(2))).getMessage());
        assertEquals("a work cannot take -5 ns on device 2", assertThrows(IllegalArgumentException.class,
            () -> Simulator.simulate(program, Machine.ideal(3, (device, work) -> -5))).getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Route(-1, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Link("none", 0));
        assertThrows(IllegalArgumentException.class, () -> new Machine.Host(-1, 4));
    }

    @Test
    void nothingStartsBeforeTheHostHasQueuedIt() {
        Program program = new Steps(2).run(0, 0).run(1, 0).end(1).program();

        Forecast forecast = Simulator.simulate(program, machine(2).with(new Machine.Host(25, 4)));

        assertEquals(List.of("0 1 stage 0 25-35", "1 1 stage 0 50-60"), spans(forecast.timeline()));
        assertEquals(75, forecast.latencyNanos(), "the record is queued, too");
    }

    /** Of two instructions each; the stage takes 10. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void theHostIsSoManyStepsAheadAndNoMore(int ahead) {
        Steps steps = new Steps(1);
        for (int step = 0; step < 5; step++) {
            steps.run(0, 0).end(0);
        }

        Forecast forecast = Simulator.simulate(steps.program(), machine(1).with(new Machine.Host(2, ahead)));

        assertEquals(ahead == 0 ? 5 * 12 : 2 + 5 * 10, forecast.latencyNanos());
    }

    @Test
    void whatTheHostHasNotQueuedYetDoesNotHoldAStream() {
        Program program = new Steps(1).run(0, 0).end(0).run(0, 0).end(0).program();

        assertEquals(2 + 10 + 2 + 10,
            Simulator.simulate(program, machine(1).with(new Machine.Host(2, 0))).latencyNanos());
    }

    @Test
    void aDeviceHoldsItsWeightsAndTheBuffersOfTheProgram() {
        Program program = new Steps(2).run(0, 0).end(0).program();
        Machine machine = new Machine(List.of(new Machine.Device("big", 7), new Machine.Device("small", 0)),
            SimulatorTest::nanos, Interconnect.INSTANT, Machine.Host.FREE);

        Forecast forecast = Simulator.simulate(program, machine);

        assertEquals(List.of(new Memory(7, 1000), new Memory(0, 1000)), forecast.memory());
        assertEquals(1007, forecast.memory().getFirst().bytes());
        assertEquals("small", forecast.timeline().lanes().get(1).deviceName());
    }

    @Test
    void theSameQuestionHasTheSameAnswer() {
        Plan plan = Strategy.parse("asyncdiff:warmup=2").plan(Loops.chain(4), "eps", 4, false);
        Program program = Unroller.unroll(plan, Loops.loop(plan.segments(), 20), true);
        Machine machine = machine(4).with(new Interconnect.Bus(BYTE_A_NANO / 3, 11)).with(Machine.Host.of(1));

        assertEquals(Simulator.simulate(program, machine), Simulator.simulate(program, machine));
    }

    /** A planner asks for many plans. Processor time, as others load the machine. */
    @Test
    void fiftyStepsOnEightDevicesTakeLessThanASecond() {
        Plan plan = Strategy.parse("pipefusion:parts=8,patches=8").plan(Loops.pipe(8, 8), "eps", 8, false);
        Program program = Unroller.unroll(plan, Loops.banded(plan.segments(), Loops.predictions(50), 8), true);
        Machine machine = machine(8).with(new Interconnect.Star(BYTE_A_NANO, 100)).with(Machine.Host.of(5));
        long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();

        Forecast forecast = Simulator.simulate(program, machine);

        long millis = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before) / 1_000_000;
        assertTrue(millis <= 1000, () -> program.instructions().size() + " instructions took " + millis + " ms");
        assertEquals(8, forecast.timeline().devices());
    }
}
