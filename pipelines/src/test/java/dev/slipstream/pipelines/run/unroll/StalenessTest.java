package dev.slipstream.pipelines.run.unroll;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StalenessTest {
    private static final int STEPS = 10;

    private static double share(List<SegmentOutline> segments, String plan, int devices) {
        return of(segments, plan, devices).share();
    }

    private static Staleness of(List<SegmentOutline> segments, String plan, int devices) {
        return Staleness.of(Strategy.parse(plan).plan(segments, "eps", devices, true), STEPS, stage -> 1);
    }

    @ParameterizedTest
    @CsvSource({"sequential,1", "cfg-split,2"})
    void exactPlansHaveNoStaleValues(String plan, int devices) {
        assertEquals(0, share(Loops.chain(1), plan, devices));
    }

    /** Of n components all but the last are read a step late, at all steps but the first. */
    @ParameterizedTest
    @CsvSource({"2,0.45", "3,0.6", "4,0.675"})
    void ofAChainAllButItsEndIsStale(int components, double share) {
        assertEquals(share, share(Loops.chain(components), "asyncdiff:warmup=1", components), 1e-12);
    }

    /** The rest is read late at 6 of 9 steps; what it reads itself is old then, too, for one of its two readers. */
    @Test
    void aCacheIsStaleByThePartThatRests() {
        List<SegmentOutline> shell = Loops.shell().stream().map(it -> new SegmentOutline(it.name(),
            1 - it.component(), it.reads(), it.writes())).toList();
        double share = share(shell, "cache:every=3,warmup=1", 1);
        assertEquals(6.0 / STEPS * (1 + 0.5) / 3, share, 1e-12);
        assertTrue(share(shell, "cache:every=2,warmup=1", 1) < share);
    }

    @Test
    void aWindowThatIsDecidedInTheLoopIsExpectedAtTheLatest() {
        assertEquals(of(Loops.chain(2), "hybridiff:start=5,length=3", 2), of(Loops.chain(2),
            "hybridiff:decide=distance,lookback=1,latest=5,length=3", 2));
        assertTrue(share(Loops.chain(2), "hybridiff:start=5,length=3", 2) > 0);
    }

    /** What enters now is fresh, and what was added to it then is not. */
    @Test
    void aResidualIsAsOldAsWhatWasAdded() {
        List<SegmentOutline> blocks = List.of(new SegmentOutline("D", 0, List.of("x", "t"), List.of("d")),
            new SegmentOutline("I", 1, List.of("d", "t"), List.of("i"), Map.of("i", "d"), Map.of(), Set.of()),
            new SegmentOutline("U", 0, List.of("i", "t"), List.of("eps")));
        Staleness residual = of(blocks, "cache:every=2,warmup=1,form=residual", 1);
        assertTrue(residual.share() > 0.1, residual.toString());
        assertTrue(residual.share() <= of(blocks, "cache:every=2,warmup=1,form=replace", 1).share());
    }

    @Test
    void aPredictionThatIsContinuedIsAsOldAsTheNewestOfWhatItIsMadeOf() {
        Staleness continued = of(Loops.chain(1), "cache:every=4,part=all,form=forecast,warmup=2", 1);
        assertEquals(of(Loops.chain(1), "cache:every=4,part=all,form=replace,warmup=2", 1), continued);
        assertTrue(continued.age() > 0, continued.toString());
    }

    /** The first of three components is read two steps late but for the second step, the next one a step late. */
    @Test
    void valuesAgeAlongAChain() {
        assertEquals((9 + 9 + 8) / 3.0 / STEPS, of(Loops.chain(3), "asyncdiff:warmup=1", 3).age(), 1e-12);
        assertTrue(of(Loops.chain(1), "sequential", 1).isNone());
    }

    @Test
    void moreWarmUpIsLessStale() {
        assertTrue(share(Loops.chain(2), "asyncdiff:warmup=3", 2) < share(Loops.chain(2), "asyncdiff:warmup=1", 2));
    }
}
