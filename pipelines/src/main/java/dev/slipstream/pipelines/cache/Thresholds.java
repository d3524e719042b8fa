package dev.slipstream.pipelines.cache;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * How much alike two requests must be before one goes on from the other's latents, and how far along. Immutable.
 *
 * <p>How alike conditionings are says little that holds for two models, so {@link #NONE} serves nothing, and thresholds
 * come from measuring a model: its pictures with the cache against those without.
 *
 * @param levels for going on from latents of the midst, in any order; of those that a pair reaches, the deepest counts
 * @param finished likewise for going on from finished ones, with fresh noise
 */
public record Thresholds(List<Level> levels, List<Level> finished) {
    /** Refuses all: that of a model that was not measured. */
    public static final Thresholds NONE = new Thresholds(List.of());

    /**
     * What a pair must reach.
     *
     * @param score the least cosine of the two conditionings as flat vectors
     * @param extraWords the most content words that one prompt has beyond the other, see {@link Wording#extraWords}
     * @param part of the steps that may then be left out, more than 0 and at most 1
     */
    public record Level(double score, int extraWords, double part) {
        /** @throws IllegalArgumentException if a number is out of its range */
        public Level {
            if (!(score >= 0 && score <= 1) || extraWords < 0 || !(part > 0 && part <= 1)) {
                throw new IllegalArgumentException("a level of a cache has a score of 0 to 1, at least 0 extra words "
                    + "and a part of more than 0 and at most 1, not " + score + ", " + extraWords + " and " + part);
            }
        }
    }

    public Thresholds {
        levels = deepestFirst(levels);
        finished = deepestFirst(finished);
    }

    /** Those that let nothing go on from finished latents. */
    public Thresholds(List<Level> levels) {
        this(levels, List.of());
    }

    private static List<Level> deepestFirst(List<Level> levels) {
        return levels.stream().sorted(Comparator.comparingDouble(Level::part).reversed()).toList();
    }

    /** The latest step from which a request may go on from latents that another had there, 0 for none. */
    public int depth(double score, int extraWords, int steps) {
        return depth(levels, score, extraWords, steps);
    }

    /** The latest step from which it may go on with another's finished latents, 0 for none; a step is always left. */
    public int finishedDepth(double score, int extraWords, int steps) {
        return Math.min(depth(finished, score, extraWords, steps), steps - 1);
    }

    private static int depth(List<Level> levels, double score, int extraWords, int steps) {
        return levels.stream().filter(level -> score >= level.score && extraWords <= level.extraWords).findFirst()
            .map(level -> (int) Math.floor(level.part * steps + 1e-9)).orElse(0);
    }

    /** Whether any pair whatever could pass with so many extra words. */
    boolean admits(int extraWords) {
        return Stream.concat(levels.stream(), finished.stream()).anyMatch(level -> extraWords <= level.extraWords);
    }
}
