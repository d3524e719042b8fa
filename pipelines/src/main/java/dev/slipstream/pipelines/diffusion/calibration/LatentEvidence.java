package dev.slipstream.pipelines.diffusion.calibration;

import dev.slipstream.pipelines.cache.Thresholds.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * How near pictures that went on from latents of other prompts came to those drawn whole, and what that says about how
 * much alike prompts must be. Immutable.
 *
 * <p>A score is enough where of each ten pairs that are next to each other by score, from the most alike down to it,
 * nine keep the wanted quality: a level is never carried by pairs that are more alike than what it lets through. Fewer
 * than ten pairs say nothing. What is not enough for a part of the steps is not for a larger one, nor for more words.
 *
 * @param pairs that were drawn, in any order
 */
public record LatentEvidence(List<Pair> pairs) {
    /** Pairs next to each other by score that are judged together. */
    public static final int TOGETHER = 10;
    /** How many of these keep the wanted quality at least. */
    public static final int GOOD = 9;
    /** Scores are rounded up, so that what is let through has been measured. */
    private static final double DIGITS = 1e4;

    public LatentEvidence {
        pairs = List.copyOf(pairs);
    }

    /**
     * A picture that went on from another's latents.
     *
     * @param extraWords content words that one of the prompts has beyond the other
     * @param part of the steps that was left out
     * @param score cosine of the two conditionings
     * @param likeness to the picture that the same request gives when it is drawn whole
     */
    public record Pair(int extraWords, double part, double score, Likeness likeness) {
    }

    /**
     * What was found for one part of the steps and one number of words.
     *
     * @param decibels mean of the peak signal-to-noise ratios; {@code worst} the least
     * @param similarity mean of the similarities of structures
     * @param enough the least score that is enough; empty if none is
     */
    public record Row(double part, int extraWords, int pairs, double decibels, double worst, double similarity,
        OptionalDouble enough) {
    }

    /** By words, then by parts, each from the least on. @param wanted the least decibels of a picture that is good */
    public List<Row> rows(double wanted) {
        List<Row> rows = new ArrayList<>();
        for (int words : pairs.stream().mapToInt(Pair::extraWords).distinct().sorted().toArray()) {
            for (double part : pairs.stream().mapToDouble(Pair::part).distinct().sorted().toArray()) {
                List<Pair> measured = pairs.stream().filter(it -> it.extraWords == words && it.part == part)
                    .sorted(Comparator.comparingDouble(Pair::score).reversed()).toList();
                if (!measured.isEmpty()) {
                    rows.add(row(measured, rows, wanted));
                }
            }
        }
        return rows;
    }

    private static Row row(List<Pair> measured, List<Row> before, double wanted) {
        Pair first = measured.getFirst();
        OptionalDouble own = enough(measured, wanted);
        // What lets less through must be enough by itself.
        List<OptionalDouble> lesser = before.stream()
            .filter(row -> row.part <= first.part && row.extraWords <= first.extraWords).map(Row::enough).toList();
        boolean all = own.isPresent() && lesser.stream().allMatch(OptionalDouble::isPresent);
        return new Row(first.part, first.extraWords, measured.size(), mean(measured, Likeness::decibels),
            measured.stream().mapToDouble(pair -> pair.likeness.decibels()).min().orElseThrow(),
            mean(measured, Likeness::similarity), all ? OptionalDouble.of(Stream.concat(lesser.stream(),
                Stream.of(own)).mapToDouble(OptionalDouble::getAsDouble).max().orElseThrow()) : OptionalDouble.empty());
    }

    private interface Measure {
        double of(Likeness likeness);
    }

    private static double mean(List<Pair> measured, Measure measure) {
        return measured.stream().mapToDouble(pair -> measure.of(pair.likeness)).average().orElseThrow();
    }

    /** @param measured the most alike first */
    private static OptionalDouble enough(List<Pair> measured, double wanted) {
        int last = TOGETHER;
        while (last <= measured.size() && measured.subList(last - TOGETHER, last).stream()
            .filter(pair -> pair.likeness.decibels() >= wanted).count() >= GOOD) {
            last++;
        }
        int good = last - 1;
        // Of pairs with the same score all are let through, or none.
        while (good > 0 && good < measured.size() && roundedUp(measured.get(good - 1)) <= measured.get(good).score) {
            good--;
        }
        return good < TOGETHER ? OptionalDouble.empty() : OptionalDouble.of(roundedUp(measured.get(good - 1)));
    }

    private static double roundedUp(Pair pair) {
        return Math.min(1, Math.ceil(pair.score * DIGITS) / DIGITS);
    }

    /** The levels that follow, without those that another has within it; none where nothing is enough. */
    public List<Level> levels(double wanted) {
        List<Level> all = rows(wanted).stream().filter(row -> row.enough.isPresent())
            .map(row -> new Level(row.enough.getAsDouble(), row.extraWords, row.part)).toList();
        return all.stream().filter(level -> all.stream().noneMatch(other -> other != level
            && other.score() <= level.score() && other.extraWords() >= level.extraWords()
            && other.part() >= level.part())).toList();
    }
}
