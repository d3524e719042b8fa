package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.file.Sha256;
import dev.slipstream.pipelines.cache.Answer;
import dev.slipstream.pipelines.cache.CacheKey;
import dev.slipstream.pipelines.cache.Entry;
import dev.slipstream.pipelines.cache.HalfTensor;
import dev.slipstream.pipelines.cache.LatentStore;
import dev.slipstream.pipelines.cache.Mark;
import dev.slipstream.pipelines.cache.Query;
import dev.slipstream.pipelines.cache.StepCosts;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.WindowCost;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a cache of latents has to do with one request: what must be equal, at which steps latents are kept, and whether
 * others' serve. One thread.
 */
final class Reuse {
    private static final Logger LOG = LoggerFactory.getLogger(Reuse.class);
    /** Latents are kept after so many tenths of the steps: those of NIRVANA, up to half of the way. */
    private static final int TENTHS = 5;

    private final Store store;
    private final ResolvedRequest request;
    private final CacheUse use;
    private final boolean suits;
    private final boolean keeps;
    private Optional<CacheKey> key = Optional.empty();

    private record PlanOfSteps(Plan plan, int steps) {
    }

    /** A pipeline's cache, and a thread that writes to it. Any thread may use it. */
    static final class Store implements AutoCloseable {
        private final LatentStore cache;
        private final Thresholds thresholds;
        private final ExecutorService writer = Executors.newSingleThreadExecutor(
            task -> Thread.ofPlatform().daemon().name("slipstream reuse").unstarted(task));
        /** What a step of a window costs. */
        private final Map<PlanOfSteps, Double> windows = new ConcurrentHashMap<>();
        private Optional<String> content = Optional.empty();
        private Optional<Depths> depths = Optional.empty();

        /**
         * @param cache is closed with it
         * @param thresholds of its model
         */
        Store(LatentStore cache, Thresholds thresholds) {
            this.cache = cache;
            this.thresholds = thresholds;
        }

        /** What the denoiser is by content. Reading large weights takes a while, once. */
        private synchronized String content(LoadedModel model) {
            String known = content.orElseGet(() -> DeviceForm.content(model.denoiser().name(), model.denoiser().graph())
                + " " + model.denoiser().precision());
            content = Optional.of(known);
            return known;
        }

        /** Those of a request, which mostly are those of the one before: working them out takes milliseconds. */
        private synchronized SortedMap<Integer, Integer> depths(ResolvedRequest request) {
            Depths known = depths.filter(it -> it.noise.equals(request.noise())).orElseGet(() -> Depths.of(request));
            depths = Optional.of(known);
            return known.rows;
        }

        /** Waits for what is being written. */
        @Override
        public void close() {
            writer.close();
            cache.close();
        }
    }

    /**
     * From where others may go on.
     *
     * @param rows by the step, counted from 0: how many rows of the noise table are before it
     */
    private record Depths(NoiseTable noise, SortedMap<Integer, Integer> rows) {
        static Depths of(ResolvedRequest request) {
            int steps = request.request().core().steps().orElseThrow();
            SortedMap<Integer, Integer> rows = new TreeMap<>();
            IntStream.rangeClosed(1, TENTHS).map(tenth -> tenth * steps / 10).filter(step -> step > 0)
                .forEach(step -> rows.put(step, request.rowsBefore(step)));
            return new Depths(request.noise(), Collections.unmodifiableSortedMap(rows));
        }
    }

    /** @param request for each model of the pipeline */
    Reuse(Store store, List<ResolvedRequest> request) {
        this.store = store;
        this.request = request.getFirst();
        this.use = this.request.request().core().cache();
        this.suits = request.size() == 1 && suits(this.request);
        // A word that the model does not know is anything to it: others would go on from a picture of something else.
        this.keeps = use.writes() && suits && this.request.prompts().known();
    }

    /** Whether a request is of the kind that goes on from others, and that others go on from: one of a text alone. */
    private static boolean suits(ResolvedRequest request) {
        return request.batch() == 1 && request.request().given().isEmpty() && request.steering().nets().isEmpty()
            && request.model().layers().isEmpty() && request.shape().conditions().containsKey(TextEncoders.STATES);
    }

    boolean reads() {
        return use.reads();
    }

    /** After which steps of the whole loop the latents must stay readable. */
    KeptLatents kept() {
        return keeps ? KeptLatents.after(store.depths(request).values().stream().map(rows -> rows - 1).toList())
            : KeptLatents.LAST;
    }

    /** Whether something serves. @param whole what draws all steps */
    Answer ask(DenoisingPass whole) {
        if (!FlightRecorder.isInitialized()) {
            return lookup(whole);
        }
        Lookup recorded = new Lookup();
        recorded.begin();
        Answer answer = lookup(whole);
        recorded.tell(answer);
        return answer;
    }

    private Answer lookup(DenoisingPass whole) {
        return suits ? store.cache.lookup(new Query(key(), mark(), conditioning(whole.given()), store.thresholds,
            costs(whole.program()), use.otherSeeds(), use.pictures())) : new Answer.Miss(Answer.Reason.UNSUITED);
    }

    /** Notes that a hit has served. @param stepSeconds what a step took */
    void served(Answer.Hit hit, double stepSeconds) {
        write(() -> store.cache.served(hit, hit.saved() * stepSeconds));
    }

    /** Keeps what the loop of the whole has left, if that is wished. @param stepSeconds what a step took */
    void keep(DenoisingPass pass, double stepSeconds) {
        if (keeps) {
            SortedMap<Integer, HalfTensor> latents = new TreeMap<>();
            try (Arena arena = Arena.ofShared()) {
                MemorySegment one = arena.allocate(request.latents().bytes(), 64);
                store.depths(request).forEach((step, rows) -> {
                    pass.latents(rows - 1, one);
                    latents.put(step, HalfTensor.of(request.latents().shape(), one));
                });
                if (use.pictures()) {
                    pass.latents(request.noise().steps() - 1, one);
                    latents.put(core().steps().orElseThrow(), HalfTensor.of(request.latents().shape(), one));
                }
                HalfTensor conditioning = conditioning(pass.given());
                write(() -> store.cache.put(Entry.of(key(), mark(), conditioning, latents, stepSeconds)));
            } catch (IllegalArgumentException beyondHalves) {
                LOG.warn("a picture is not kept for others: {}", beyondHalves.getMessage());
            }
        }
    }

    private void write(Runnable work) {
        store.writer.execute(() -> {
            try {
                work.run();
            } catch (RuntimeException failure) {
                LOG.warn("the cache of latents failed", failure);
            }
        });
    }

    private RequestCore core() {
        return request.request().core();
    }

    private Mark mark() {
        return store.cache.mark(core().prompt(), request.seed());
    }

    private TensorType states() {
        return Objects.requireNonNull(request.shape().conditions().get(TextEncoders.STATES));
    }

    /** What the text encoders have made of the prompt: the last row of what the loop is given. */
    private HalfTensor conditioning(Map<String, MemorySegment> given) {
        TensorType rows = states();
        Shape one = Shape.of(IntStream.range(1, rows.shape().rank()).mapToLong(rows.shape()::dim).toArray());
        long bytes = one.elements() * rows.type().bytes();
        MemorySegment all = Objects.requireNonNull(given.get(TextEncoders.STATES));
        MemorySegment row = all.asSlice(all.byteSize() - bytes, bytes);
        float[] numbers = new float[Math.toIntExact(one.elements())];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = rows.type() == DataType.FLOAT16
                ? Float.float16ToFloat(row.getAtIndex(ValueLayout.JAVA_SHORT, i))
                : row.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        return HalfTensor.of(one, numbers);
    }

    /** Made once; the thread that writes asks, too. */
    private synchronized CacheKey key() {
        CacheKey known = key.orElseGet(this::made);
        key = Optional.of(known);
        return known;
    }

    private CacheKey made() {
        SortedMap<String, String> facts = new TreeMap<>();
        facts.put(CacheKey.MODEL, store.content(request.model()));
        // LoRAs are merged into the weights, whose content is known.
        facts.put(CacheKey.ADAPTERS, "");
        facts.put(CacheKey.SCHEDULER, Sha256.of(request.noise().toString()));
        facts.put(CacheKey.STEPS, Integer.toString(core().steps().orElseThrow()));
        facts.put(CacheKey.LATENTS, request.latents().shape().toString());
        facts.put(CacheKey.CONDITIONING, states().toString());
        facts.put(CacheKey.GUIDANCE, core().guidance().toString());
        facts.put(CacheKey.NEGATIVE, request.isGuided() ? store.cache.hash(core().negative()) : "");
        new TreeMap<>(request.told()).forEach((name, values) -> facts.put("told " + name, values.row() + " "
            + Arrays.toString(values.unconditional()) + " " + Arrays.toString(values.conditional())));
        return new CacheKey(use.namespace(), facts);
    }

    /** What steps cost under the plan, in synchronous ones. */
    private StepCosts costs(Program program) {
        Plan plan = request.denoiser().plan();
        int steps = core().steps().orElseThrow();
        int window = plan.cadence().window(steps);
        return window == 0 ? StepCosts.ofExact(steps)
            : new StepCosts(steps, plan.cadence().warmUp(), steps - plan.cadence().warmUp() - window, 1,
                store.windows.computeIfAbsent(new PlanOfSteps(plan, steps),
                    absent -> WindowCost.of(request.denoiser(), program)), 0);
    }

    /** For JDK Flight Recorder. Prompts are nobody else's business. */
    @Name("dev.slipstream.CacheLookup")
    @Label("Cache Lookup")
    @Category("Slipstream")
    @Description("A request asked the cache of latents whether it can go on from another")
    private static final class Lookup extends Event {
        @Label("Hit")
        private boolean hit;

        @Label("Reason")
        @Description("Why nothing serves: a name of Answer.Reason")
        private String reason = "";

        @Label("Score")
        @Description("Cosine of the two conditionings")
        private double score;

        @Label("Step")
        @Description("The first one that is taken, counted from 0")
        private int step;

        @Label("Finished")
        @Description("Whether it goes on from the finished picture, with noise of its own")
        private boolean finished;

        @Label("Saved")
        @Description("In synchronous steps")
        private double saved;

        private void tell(Answer answer) {
            end();
            switch (answer) {
                case Answer.Hit it -> {
                    hit = true;
                    score = it.score();
                    step = it.step();
                    finished = it.finished();
                    saved = it.saved();
                }
                case Answer.Miss(Answer.Reason why) -> reason = why.name();
            }
            commit();
        }
    }
}
