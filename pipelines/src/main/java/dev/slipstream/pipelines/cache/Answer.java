package dev.slipstream.pipelines.cache;

/** What a cache says to a {@link Query}. */
public sealed interface Answer {
    /**
     * The request may go on from kept latents.
     *
     * @param key of the source, which is that of the query
     * @param source id of the entry
     * @param step the next one to do, counted from 0: so many are left out
     * @param score cosine of the two conditionings
     * @param extraWords content words that one of the prompts has beyond the other
     * @param saved what that saves, in the unit of the query's costs
     * @param latents before that step, those of one picture
     * @param finished whether they are those after the last step instead, onto which goes the request's own noise
     */
    record Hit(CacheKey key, String source, int step, double score, int extraWords, double saved, HalfTensor latents,
        boolean finished) implements Answer {
    }

    /**
     * The request is drawn from its beginning.
     *
     * @param reason why the one that came nearest does not serve
     */
    record Miss(Reason reason) implements Answer {
    }

    /** Why nothing serves, from the first hurdle to the last. */
    enum Reason {
        /** What is asked for is drawn whole. */
        UNSUITED("only single pictures of a text alone, drawn by one model, go on from others"),
        /** The cache cannot be read; the log says why. */
        UNREADABLE("the cache cannot be read"),
        /** There are no thresholds. */
        NOT_MEASURED("this model was not measured for that; slipstream cache calibrate does it"),
        /** Nothing is kept for such requests. */
        EMPTY("nothing is kept for such requests"),
        /** Only the same prompt with other seeds is near. */
        OTHER_SEED("it has this prompt with other seeds only"),
        /** The neighbours say something else. */
        OTHER_WORDS("no prompt near it has the same content words"),
        /** Conditionings differ more than the thresholds allow. */
        TOO_FAR("no conditioning is near enough for this model's thresholds"),
        /** Going on would cost as much as beginning. */
        NOTHING_SAVED("going on would save nothing, as the plan warms up again");

        private final String sentence;

        Reason(String sentence) {
            this.sentence = sentence;
        }

        /** In words. */
        public String sentence() {
            return sentence;
        }
    }
}
