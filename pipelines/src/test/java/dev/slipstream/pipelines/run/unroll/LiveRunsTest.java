package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.run.loop.Rests;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Version;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which stages run, in a plan that no strategy makes: a lagging edge from a stage that is not the primary one. */
class LiveRunsTest {
    private static final int STEPS = 4;

    private final Plan plan = new Plan("by hand", 3,
        List.of(new SegmentOutline("A", 0, List.of("x"), List.of("a", "unread")),
            new SegmentOutline("B", 1, List.of("a"), List.of("eps"))),
        List.of(new Stage(0, 0, Branch.CONDITIONAL, 0), new Stage(0, 1, Branch.CONDITIONAL, 1),
            new Stage(1, 2, Branch.CONDITIONAL, 0)),
        List.of(new Edge("a", 1, 2, 1)), new Cadence(1, 1, 1, false, false), "eps");
    private final LiveRuns live = new LiveRuns(plan, STEPS, new Reads(plan, STEPS), Rests.NONE);

    private List<Version> sources(int step) {
        return live.sources(new StageRun(2, step), "a").stream().map(LiveRuns.Source::version).toList();
    }

    @Test
    void valuesOfSynchronousStepsComeFromThePrimaryStage() {
        assertEquals(List.of(new Version(new StageRun(0, 0), "a")), sources(0));
        assertEquals(List.of(new Version(new StageRun(0, 0), "a")), sources(1), "made in the warm-up, a step before");
        assertEquals(List.of(new Version(new StageRun(1, 1), "a")), sources(2), "made in the window, a step before");
        assertEquals(List.of(new Version(new StageRun(0, 3), "a")), sources(3), "the tail is synchronous");
    }

    @Test
    void onlyWhatIsReadRuns() {
        assertEquals(List.of(new StageRun(0, 0), new StageRun(2, 0)), live.at(0));
        assertEquals(List.of(new StageRun(1, 1), new StageRun(2, 1)), live.at(1));
        assertEquals(List.of(new StageRun(2, 2)), live.at(2));
        assertEquals(List.of(new StageRun(0, 3), new StageRun(2, 3)), live.at(3));
    }

    @Test
    void aVersionIsReadOnTheDevicesOfItsReaders() {
        assertEquals(Set.of(2), live.readers(new Version(new StageRun(0, 0), "a")));
        assertEquals(Set.of(2), live.readers(new Version(new StageRun(2, 1), "eps")));
        assertEquals(Set.of(), live.readers(new Version(new StageRun(0, 0), "unread")));
    }

    /** B runs at even steps; C reads what it made, in some form. */
    private static List<String> read(Edge.Form form, int step) {
        List<SegmentOutline> segments = List.of(new SegmentOutline("A", 0, List.of("x"), List.of("a")),
            new SegmentOutline("B", 1, List.of("a"), List.of("b")),
            new SegmentOutline("C", 0, List.of("b"), List.of("eps")));
        Plan lagging = new Plan("by hand", 1, segments, List.of(new Stage(0, 0, Branch.CONDITIONAL, 0),
            new Stage(1, 0, Branch.CONDITIONAL, 0, new Rounds.Every(2)), new Stage(2, 0, Branch.CONDITIONAL, 0)),
            List.of(new Edge("a", 0, 1, 0), new Edge("b", 1, 2, 0, form)), new Cadence(1, 0, 1, false, false), "eps");
        return new LiveRuns(lagging, 8, new Reads(lagging, 8), Rests.NONE).sources(new StageRun(2, step), "b").stream()
            .map(source -> source.weight() + " " + source.version().tensor() + source.version().run().step()).toList();
    }

    @Test
    void whatWasMadeNowIsReadAsItIs() {
        for (Edge.Form form : List.of(Edge.Form.LAST, new Edge.Form.Residual("a"), new Edge.Form.Forecast(2))) {
            assertEquals(List.of("1.0 b4"), read(form, 4));
        }
    }

    @Test
    void whatWasNotMadeIsTheLastOrWhatThatLeadsToExpect() {
        assertEquals(List.of("1.0 b4"), read(Edge.Form.LAST, 5));
        assertEquals(List.of("1.0 a5", "1.0 b4", "-1.0 a4"), read(new Edge.Form.Residual("a"), 5));
        assertEquals(List.of("-0.5 b2", "1.5 b4"), read(new Edge.Form.Forecast(1), 5));
        assertEquals(List.of("1.0 b0"), read(new Edge.Form.Forecast(2), 1));
        assertEquals(List.of("0.125 b0", "-0.75 b2", "1.625 b4"), read(new Edge.Form.Forecast(2), 5));
    }

    /** B runs at every third step. */
    @Test
    void whatIsExtrapolatedCountsAsMade() {
        List<SegmentOutline> segments = List.of(new SegmentOutline("B", 1, List.of("x"), List.of("b")),
            new SegmentOutline("C", 0, List.of("b"), List.of("eps")));
        Plan plan = new Plan("by hand", 1, segments, List.of(new Stage(0, 0, Branch.CONDITIONAL, 0,
            new Rounds.Every(3)), new Stage(1, 0, Branch.CONDITIONAL, 0)),
            List.of(new Edge("b", 0, 1, 0, new Edge.Form.Extrapolated(0.5))),
            new Cadence(1, 0, 1, false, false), "eps");
        LiveRuns runs = new LiveRuns(plan, 8, new Reads(plan, 8), Rests.NONE);
        assertEquals(List.of("1.0 b0"), text(runs, 1), "there is no change yet");
        assertEquals(List.of("-0.5 b0", "1.5 b1"), text(runs, 2));
        assertEquals(List.of(), text(runs, 3), "made");
        assertEquals(List.of("-0.5 b2", "1.5 b3"), text(runs, 4));
        assertEquals(List.of(0, 3, 6), IntStream.range(0, 8).filter(step ->
            runs.at(step).contains(new StageRun(0, step))).boxed().toList());
        assertEquals(Set.of(0), runs.readers(new Version(new StageRun(0, 3), "b")));
    }

    private static List<String> text(LiveRuns runs, int step) {
        return runs.continued(new Version(new StageRun(0, step), "b")).stream()
            .map(source -> source.weight() + " " + source.version().tensor() + source.version().run().step()).toList();
    }

    /** B and C rest together; what C adds is counted from what entered B, which C reads a step late. */
    @Test
    void whatEnteredAPartThatIsCutOnceMoreEnteredItsFirstPiece() {
        List<SegmentOutline> segments = List.of(new SegmentOutline("A", 0, List.of("x"), List.of("a")),
            new SegmentOutline("B", 1, List.of("a"), List.of("b")), new SegmentOutline("C", 2, List.of("b"),
                List.of("c")), new SegmentOutline("D", 0, List.of("c"), List.of("eps")));
        Rounds.Every fourth = new Rounds.Every(4);
        Plan crossed = new Plan("by hand", 1, segments, List.of(new Stage(0, 0, Branch.CONDITIONAL, 0),
            new Stage(1, 0, Branch.CONDITIONAL, 0, fourth), new Stage(2, 0, Branch.CONDITIONAL, 0, fourth),
            new Stage(3, 0, Branch.CONDITIONAL, 0)),
            List.of(new Edge("a", 0, 1, 0), new Edge("b", 1, 2, 1),
                new Edge("c", 2, 3, 0, new Edge.Form.Residual("a"))), new Cadence(1, 0, 1, false, false), "eps");
        LiveRuns runs = new LiveRuns(crossed, 9, new Reads(crossed, 9), Rests.NONE);

        assertEquals(List.of("1.0 a5", "1.0 c4", "-1.0 a0"), terms(runs, 6));
        assertEquals(List.of("1.0 a0", "1.0 c0", "-1.0 a0"), terms(runs, 1));
    }

    private static List<String> terms(LiveRuns runs, int step) {
        return runs.sources(new StageRun(3, step), "c").stream()
            .map(source -> source.weight() + " " + source.version().tensor() + source.version().run().step()).toList();
    }
}
