package dev.slipstream.pipelines.cache;

import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer.Reason;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is asked of a cache before a request is drawn.
 *
 * @param key what must be equal
 * @param mark prompt and seed, see {@link LatentCache#mark}
 * @param conditioning of the prompt, as it would be kept
 * @param thresholds of the model
 * @param costs of the request's steps under its plan
 * @param otherSeeds whether a picture of the same prompt with another seed may serve, which makes their pictures alike
 * @param finished whether finished latents may serve, too
 */
public record Query(CacheKey key, Mark mark, HalfTensor conditioning, Thresholds thresholds, StepCosts costs,
    boolean otherSeeds, boolean finished) {
    /** Neighbours whose words are compared. */
    static final int NEIGHBOURS = 32;

    /** One that keeps pictures of different seeds apart. */
    public static Query of(CacheKey key, Mark mark, HalfTensor conditioning, Thresholds thresholds, StepCosts costs) {
        return new Query(key, mark, conditioning, thresholds, costs, false, false);
    }

    /** What a shelf says to it. */
    Answer ask(Shelf shelf) throws IOException {
        return new Match(this).on(shelf);
    }

    /**
     * Decides whether an entry may serve a query: among what says the same and its neighbours by compact vectors, by
     * words and by how near their whole conditionings are, if that saves something. What is decided on was read from a
     * file that was whole and is the right one.
     */
    private static final class Match {
        /** Files that are read at most; the first is the nearest as a rule. */
        private static final int FILES = 4;
        /** Nearer than this, prompts differ in nothing that the model sees. */
        private static final double SAME = 0.9999;

        private final Query query;
        private Optional<Hit> best = Optional.empty();
        private Reason furthest = Reason.EMPTY;
        private int read;

        private Match(Query query) {
            this.query = query;
        }

        private Answer on(Shelf shelf) throws IOException {
            if (query.thresholds().equals(Thresholds.NONE)) {
                return new Miss(Reason.NOT_MEASURED);
            }
            for (Card card : shelf.near(Projection.of(query.conditioning()), query.mark().wording(), NEIGHBOURS,
                this::isApart)) {
                if (read < FILES && isWorthReading(card)) {
                    read++;
                    shelf.read(card.id()).ifPresent(kept -> compare(kept.card(), kept.entry()));
                }
            }
            return best.<Answer>map(hit -> hit).orElseGet(() -> new Miss(furthest));
        }

        private void fails(Reason reason) {
            furthest = reason.compareTo(furthest) > 0 ? reason : furthest;
        }

        /** Whether it is not one of the pictures that must stay apart, of which there may be many, all the nearest. */
        private boolean isApart(Card card) {
            boolean apart = query.otherSeeds() || !card.mark().isOtherSeedOf(query.mark());
            if (!apart) {
                fails(Reason.OTHER_SEED);
            }
            return apart;
        }

        /** Whether the entry could serve if its conditioning were equal, by what the index knows. */
        private boolean isWorthReading(Card card) {
            OptionalInt extra = card.mark().wording().extraWords(query.mark().wording());
            if (extra.isEmpty() || !query.thresholds().admits(extra.getAsInt())) {
                fails(Reason.OTHER_WORDS);
                return false;
            }
            int step = start(card, 1, extra.getAsInt()).step;
            if (step > 0 && query.costs().saved(step) <= 0) {
                fails(Reason.NOTHING_SAVED);
            } else if (step == 0) {
                fails(Reason.TOO_FAR);
            }
            return step > 0 && query.costs().saved(step) > best.map(Hit::saved).orElse(0.0);
        }

        /**
         * Where a request begins.
         *
         * @param step 0 for none
         * @param latents by what depth they are kept
         */
        private record Start(int step, int latents) {
        }

        /** The latest one that is kept and allowed; at the same step latents of the midst are more like its own. */
        private Start start(Card card, double score, int extraWords) {
            int steps = query.costs().steps();
            int allowed = Math.min(query.thresholds().depth(score, extraWords, steps), steps - 1);
            int kept = card.depths().stream().mapToInt(Integer::intValue).filter(depth -> depth <= allowed).max()
                .orElse(0);
            int finished = query.finished() && card.depths().contains(steps)
                ? query.thresholds().finishedDepth(score, extraWords, steps) : 0;
            return finished > kept ? new Start(finished, steps) : new Start(kept, kept);
        }

        private void compare(Card card, Entry entry) {
            OptionalInt extra = card.mark().wording().extraWords(query.mark().wording());
            if (!entry.key().equals(query.key()) || extra.isEmpty()) {
                fails(Reason.OTHER_WORDS);
                return;
            }
            double score = query.conditioning().cosine(entry.conditioning());
            if (!query.otherSeeds() && score > SAME && !card.mark().seed().equals(query.mark().seed())) {
                fails(Reason.OTHER_SEED);
                return;
            }
            Start start = start(card, score, extra.getAsInt());
            int step = start.step;
            double saved = query.costs().saved(step);
            if (step == 0 || saved <= 0) {
                fails(step == 0 ? Reason.TOO_FAR : Reason.NOTHING_SAVED);
            } else if (best.isEmpty() || saved > best.get().saved()) {
                best = Optional.of(new Hit(entry.key(), card.id(), step, score, extra.getAsInt(), saved,
                    Objects.requireNonNull(entry.latents().get(start.latents)), start.latents != step));
            }
        }
    }
}
