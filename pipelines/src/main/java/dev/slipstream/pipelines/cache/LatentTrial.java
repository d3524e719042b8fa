package dev.slipstream.pipelines.cache;

import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer.Reason;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Latents in memory of which those serve that it is told to, whatever thresholds say: so it is measured what these must
 * be. Any thread may use it; who tells it what serves waits for one request before the next. Closing it keeps all.
 */
public final class LatentTrial implements LatentStore {
    private final Vocabulary vocabulary = Vocabulary.english();
    private final Salt salt = new Salt(Salt.random());
    private final Map<Mark, Entry> entries = new ConcurrentHashMap<>();
    private volatile Optional<Serving> serving = Optional.empty();

    private record Serving(Entry source, int step, boolean finished) {
        private HalfTensor latents() {
            return Objects.requireNonNull(source.latents().get(finished ? source.key().steps() : step));
        }
    }

    /** How many words one of two prompts has beyond the other; empty where they say different things. */
    public OptionalInt extraWords(String prompt, String other) {
        return mark(prompt, 0).wording().extraWords(mark(other, 0).wording());
    }

    /** Before which steps a picture's latents are kept, from the first on; none if it is not there. */
    public List<Integer> steps(String prompt, long seed) {
        return Optional.ofNullable(entries.get(mark(prompt, seed))).stream().flatMap(entry ->
            entry.latents().keySet().stream().filter(step -> step < entry.key().steps())).toList();
    }

    /** From now on requests go on from these latents. @param step one of {@link #steps} */
    public void serve(String prompt, long seed, int step) {
        serve(prompt, seed, step, false);
    }

    /** From now on requests go on from the finished latents, if they are kept. @param step any but 0 and the last */
    public void serveFinished(String prompt, long seed, int step) {
        serve(prompt, seed, step, true);
    }

    private void serve(String prompt, long seed, int step, boolean finished) {
        serving = Optional.of(new Serving(Objects.requireNonNull(entries.get(mark(prompt, seed)), prompt), step,
            finished));
    }

    @Override
    public Mark mark(String prompt, long seed) {
        return Mark.of(prompt, seed, vocabulary, salt);
    }

    @Override
    public String hash(String text) {
        return salt.hash(text);
    }

    @Override
    public Answer lookup(Query query) {
        return serving.filter(it -> it.source.key().equals(query.key())).<Answer>map(it -> {
            Entry source = it.source;
            return new Hit(source.key(), source.id(), it.step, query.conditioning().cosine(source.conditioning()),
                source.mark().wording().extraWords(query.mark().wording()).orElse(0), query.costs().saved(it.step),
                it.latents(), it.finished);
        }).orElseGet(() -> new Miss(Reason.EMPTY));
    }

    @Override
    public void served(Hit hit, double seconds) {
        // Nothing is evicted.
    }

    @Override
    public boolean put(Entry entry) {
        return entries.putIfAbsent(entry.mark(), entry) == null;
    }

    @Override
    public void close() {
        // Several pipelines share it, one after another.
    }
}
