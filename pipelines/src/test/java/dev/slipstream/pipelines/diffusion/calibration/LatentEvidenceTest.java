package dev.slipstream.pipelines.diffusion.calibration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.diffusion.calibration.LatentEvidence.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LatentEvidenceTest {
    private static final double WANTED = 30;

    private static Pair pair(int words, double part, double score, double decibels) {
        return new Pair(words, part, score, new Likeness(decibels, 1, 0));
    }

    /** Scores from 0.99 down by a hundredth. */
    private static List<Pair> falling(int words, double part, double... decibels) {
        return IntStream.range(0, decibels.length)
            .mapToObj(i -> pair(words, part, 0.99 - 0.01 * i, decibels[i])).toList();
    }

    private static double[] good(int count) {
        return DoubleStream.generate(() -> 40).limit(count).toArray();
    }

    private static List<Level> levels(List<Pair> pairs) {
        List<Pair> mixed = new ArrayList<>(pairs);
        Collections.shuffle(mixed, new Random(1));
        return new LatentEvidence(mixed).levels(WANTED);
    }

    @Test
    void theLeastScoreOfGoodPairsIsEnough() {
        assertEquals(List.of(new Level(0.88, 0, 0.3)), levels(falling(0, 0.3, good(12))));
    }

    @Test
    void fewerThanTenPairsSayNothing() {
        assertEquals(List.of(), levels(falling(0, 0.3, good(9))));
    }

    @Test
    void oneOfTenMayBeWorse() {
        double[] decibels = good(12);
        decibels[4] = 10;
        assertEquals(List.of(new Level(0.88, 0, 0.3)), levels(falling(0, 0.3, decibels)));
        decibels[6] = 10;
        assertEquals(List.of(), levels(falling(0, 0.3, decibels)));
    }

    @Test
    void pairsThatAreMoreAlikeDoNotCarryThoseThatAreLess() {
        double[] decibels = good(40);
        for (int i = 30; i < 40; i++) {
            decibels[i] = 12;
        }
        // The one at 0.69 is the first of its ten neighbours that is bad, and lies within what is allowed.
        assertEquals(List.of(new Level(0.69, 0, 0.3)), levels(falling(0, 0.3, decibels)));
    }

    @Test
    void ofPairsWithTheSameScoreAllAreLetThroughOrNone() {
        List<Pair> pairs = new ArrayList<>(falling(0, 0.3, good(11)));
        IntStream.range(0, 3).forEach(i -> pairs.add(pair(0, 0.3, 0.5, i == 0 ? 40 : 12)));
        assertEquals(List.of(new Level(0.89, 0, 0.3)), levels(pairs));
    }

    @Test
    void aLargerPartNeedsAtLeastTheScoreOfASmallerOne() {
        double[] worse = good(20);
        worse[14] = 10;
        worse[15] = 10;
        assertEquals(List.of(new Level(0.85, 0, 0.2)),
            levels(Stream.concat(falling(0, 0.1, worse).stream(), falling(0, 0.2, good(20)).stream()).toList()));
    }

    @Test
    void nothingLargerIsEnoughWhereTheSmallerIsNot() {
        assertEquals(List.of(), levels(Stream.concat(falling(0, 0.1, good(5)).stream(),
            falling(0, 0.2, good(20)).stream()).toList()));
        assertEquals(List.of(), levels(Stream.concat(falling(0, 0.1, new double[20]).stream(),
            falling(1, 0.1, good(20)).stream()).toList()));
    }

    @Test
    void moreWordsThatAreAsGoodNeedNoLevelOfFewer() {
        assertEquals(List.of(new Level(0.85, 1, 0.1)), levels(Stream.concat(falling(0, 0.1, good(15)).stream(),
            falling(1, 0.1, good(15)).stream()).toList()));
    }
}
