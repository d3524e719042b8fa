package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.AsyncDiff.Staleness;
import dev.slipstream.pipelines.plan.Patches.Norm;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** Plans by chance: each strategy with any settings, and what can be put together of them. */
public final class RandomPlans {
    /** Steps that are named are before this one. */
    private static final int STEPS = 8;

    private RandomPlans() {
    }

    private static Arbitrary<Cadence> cadences() {
        return Combinators.combine(numbers(1, 4), lengths(), numbers(0, 2), numbers(1, 2),
            Arbitraries.of(true, false), Arbitraries.of(true, false)).as(Cadence::new);
    }

    private static Arbitrary<Integer> lengths() {
        return numbers(1, 4).optional(0.4).map(length -> length.orElse(Cadence.TO_THE_TAIL));
    }

    private static Arbitrary<Integer> numbers(int least, int most) {
        return Arbitraries.integers().between(least, most);
    }

    public static Arbitrary<AsyncDiff> asyncDiff(int leastComponents, int mostComponents) {
        return Combinators.combine(numbers(leastComponents, mostComponents), cadences(),
            Arbitraries.of(Staleness.class)).as((components, cadence, staleness) ->
                new AsyncDiff(components, cadence, staleness, Optional.empty()));
    }

    /** At any steps, in the usual form or extrapolated. */
    public static Arbitrary<Cache> cache(Cache.Part... parts) {
        Arbitrary<Rounds> rounds = Arbitraries.oneOf(numbers(1, 4).map(Rounds.Every::new),
            Arbitraries.integers().between(0, STEPS - 1).set().ofMaxSize(STEPS)
                .map(steps -> new Rounds.At(new TreeSet<>(steps))),
            Arbitraries.of(0.0, 0.1, 0.5).map(threshold ->
                new Rounds.Magnitudes(List.of(1.0, 0.98, 0.9), threshold, 3, 0.2)));
        return Combinators.combine(rounds, numbers(1, 3), numbers(0, 2), Arbitraries.of(parts), numbers(0, 1),
            Arbitraries.of(Cache.usual(), Cache.usual(), Cache.usual().withWeight(0.5)))
            .as((at, warmUp, tail, part, depth, usual) -> (part == Cache.Part.ALL ? Cache.usual() : usual).with(at)
                .withWarmUp(warmUp).withTail(tail).of(part).withDepth(depth));
    }

    /** Decided in the loop. */
    public static Arbitrary<Cache> decided() {
        return Combinators.combine(numbers(0, 1), numbers(1, 3), numbers(0, 2), numbers(1, 2))
            .as((slip, warmUp, tail, depth) -> Cache.usual().decidedBy(0.1, slip).withWarmUp(warmUp).withTail(tail)
                .withDepth(depth));
    }

    /** In any part of the steps. */
    public static Arbitrary<GuidanceSchedule> guidance() {
        return Combinators.combine(Arbitraries.doubles().between(0, 1), Arbitraries.doubles().between(0, 1),
            numbers(1, 3), numbers(0, 3), Arbitraries.of(GuidanceSchedule.Kept.class))
            .as((a, b, every, warmUp, kept) -> new GuidanceSchedule(Math.min(a, b), Math.max(a, b), every, warmUp,
                kept));
    }

    /** Of two or four patches. */
    public static Arbitrary<Patches> patches() {
        Arbitrary<Patches> exchanging = Combinators.combine(Arbitraries.of(2, 4), numbers(1, 4), numbers(0, 2),
            Arbitraries.of(Norm.class), Arbitraries.of(0.3, 1.0).optional(0.4), numbers(1, 3))
            .as((count, warmUp, tail, norm, portion, segments) -> new Patches(count, false, warmUp, tail, norm,
                portion.map(OptionalDouble::of).orElse(OptionalDouble.empty()), false, false, segments));
        Arbitrary<Patches> frozen = numbers(1, 4).map(warmUp -> new Patches(2, false, warmUp, 0, Norm.SEPARATE,
            OptionalDouble.empty(), false, true, 1));
        return Arbitraries.frequencyOf(Tuple.of(9, exchanging), Tuple.of(1, frozen));
    }

    public static Arbitrary<PipeFusion> pipeFusion() {
        return Combinators.combine(numbers(1, 4), numbers(1, 4), numbers(1, 4)).as(PipeFusion::new);
    }

    /** With a window that begins at a given step, or where the loop decides. */
    public static Arbitrary<Hybridiff> hybridiff() {
        Arbitrary<Hybridiff> given = Combinators.combine(numbers(1, 4), numbers(1, 4),
            Arbitraries.of(Hybridiff.Guidance.class)).as((start, length, guidance) ->
                Hybridiff.usual().within(start, length).with(guidance));
        Arbitrary<Hybridiff> decided = Combinators.combine(given, numbers(1, 2), Arbitraries.of(0.0, 0.01, 9.0),
            numbers(0, 1)).as((it, lookback, threshold, slip) -> it.decidedBy(
                new Hybridiff.Decided(lookback, threshold, slip), it.start() + lookback + slip));
        return Arbitraries.oneOf(given, decided);
    }

    public static Arbitrary<CfgSplit> cfgSplit() {
        return Arbitraries.just(new CfgSplit());
    }

    /** Some of these at once, in any order. */
    @SafeVarargs
    public static Arbitrary<Strategy> composed(Arbitrary<? extends Strategy>... of) {
        return Combinators.combine(Stream.of(of).map(RandomPlans::maybe).toList())
            .as(parts -> parts.stream().flatMap(Optional::stream).toList())
            .filter(parts -> !parts.isEmpty()).flatMap(Arbitraries::shuffle)
            .map(parts -> parts.stream().reduce(Strategy::with).orElseThrow());
    }

    private static Arbitrary<Optional<Strategy>> maybe(Arbitrary<? extends Strategy> strategy) {
        return strategy.optional(0.6).map(wanted -> wanted.map(it -> it));
    }
}
