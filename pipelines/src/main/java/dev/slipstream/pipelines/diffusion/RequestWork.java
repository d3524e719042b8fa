package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Adapter;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Circumstances;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Control;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.LatentsDecoder;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.component.SpareTime;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.queue.QueuedWork;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport.Source;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done for a request, part after part, with the engines that a pipeline keeps.
 *
 * @param <R> what becomes of it
 */
final class RequestWork<R> implements QueuedWork {
    private static final Logger LOG = LoggerFactory.getLogger(RequestWork.class);

    private final RunningRequest<R> running;
    private final List<ResolvedRequest> request;
    private final EngineCache cache;
    private final List<Device> devices;
    private final Optional<Reuse> reuse;
    private final BiFunction<List<Image>, Circumstances, R> description;
    private final List<DenoisingPass> passes = new ArrayList<>();
    private @Nullable RequestRun recorded;
    private @Nullable Arena arena;
    private List<RequestEngines> engines = List.of();
    private MemorySegment latents = MemorySegment.NULL;
    private Optional<Answer> answer = Optional.empty();
    private Duration build = Duration.ZERO;
    private Duration text = Duration.ZERO;
    private Duration loop = Duration.ZERO;
    private Duration decode = Duration.ZERO;

    /**
     * @param request for each model
     * @param devices of its plan
     * @param reuse if it has to do with a cache of latents
     * @param description what becomes of pictures, and how they came about
     */
    RequestWork(RunningRequest<R> running, List<ResolvedRequest> request, EngineCache cache, List<Device> devices,
        Optional<Reuse> reuse, BiFunction<List<Image>, Circumstances, R> description) {
        this.running = running;
        this.request = request;
        this.cache = cache;
        this.devices = devices;
        this.reuse = reuse;
        this.description = description;
    }

    @Override
    public void begin() {
        if (FlightRecorder.isInitialized()) {
            recorded = new RequestRun();
            recorded.begin();
        }
    }

    private List<RequestKeys> keys() {
        return request.stream().map(ResolvedRequest::keys)
            .map(keys -> reuse.map(it -> keys.keeping(it.kept())).orElse(keys)).toList();
    }

    @Override
    public boolean takeEngines() {
        if (reuse.filter(Reuse::reads).isPresent()) {
            // It may need another loop when its prompts are encoded.
            return false;
        }
        Optional<List<RequestEngines>> ready = cache.ready(keys());
        ready.ifPresent(all -> engines = all);
        return ready.isPresent();
    }

    @Override
    public void buildEngines() {
        long start = System.nanoTime();
        engines = cache.build(keys(), running::requireWanted);
        build = since(start);
    }

    @Override
    public void encode() {
        long start = System.nanoTime();
        Arena tensors = Arena.ofShared();
        arena = tensors;
        for (int model = 0; model < engines.size(); model++) {
            running.requireWanted();
            passes.add(new DenoisingPass(request.get(model), engines.get(model), tensors));
        }
        latents = tensors.allocate(request.getFirst().latents().bytes(), 64);
        text = since(start);
        reuse.filter(Reuse::reads).ifPresent(it -> {
            answer = Optional.of(it.ask(passes.getFirst()));
            hit().ifPresent(this::goOn);
        });
    }

    private Optional<Hit> hit() {
        return answer.filter(Hit.class::isInstance).map(Hit.class::cast);
    }

    /** Takes the latents of a hit and what is left of the steps. It runs alone: nothing else uses engines. */
    private void goOn(Hit hit) {
        long start = System.nanoTime();
        ResolvedRequest rest = request.getFirst().from(hit.step(), hit.finished());
        engines = cache.build(List.of(rest.keys()), running::requireWanted);
        hit.latents().copyTo(latents);
        DenoisingPass whole = passes.getFirst();
        passes.set(0, hit.finished() ? whole.onto(rest, engines.getFirst(), latents, Objects.requireNonNull(arena))
            : whole.from(rest, engines.getFirst(), latents));
        build = build.plus(since(start));
    }

    @Override
    public void denoise(Follower follower) {
        long start = System.nanoTime();
        LatentsDecoder previews = engines.getLast().previewDecoder().orElseGet(this::decoder);
        int steps = passes.getFirst().request().stepsBefore() + steps();
        passes.forEach(pass -> {
            pass.follow(follower::stepsDone);
            pass.run(latents, steps, running, previews);
            follower.looped(pass::timeline, pass.endedAt());
        });
        loop = since(start);
        reuse.ifPresent(it -> {
            double stepSeconds = loop.toNanos() / 1e9 / steps();
            hit().ifPresentOrElse(hit -> it.served(hit, stepSeconds), () -> it.keep(passes.getFirst(), stepSeconds));
        });
    }

    @Override
    public void decode() {
        running.requireWanted();
        long start = System.nanoTime();
        TensorType type = request.getFirst().latents();
        List<Image> images = decoder().decode(latents, type.shape()).stream()
            .map(request.getFirst()::finished).toList();
        decode = since(start);
        running.complete(description.apply(images, circumstances()));
    }

    private LatentsDecoder decoder() {
        return engines.getLast().decoder().orElseThrow();
    }

    @Override
    public void refuse(CancellationException reason) {
        running.fail(reason);
    }

    @Override
    public void end(@Nullable Throwable failure) {
        if (failure != null) {
            running.fail(failure);
        }
        String outcome = failure == null ? "done" : failure instanceof CancellationException ? "cancelled"
            : failure.toString();
        ResolvedRequest first = request.getFirst();
        if (recorded != null) {
            recorded.tell(first, request.stream().mapToInt(it -> it.noise().steps()).sum(), outcome);
        }
        LOG.debug("a request for {}x{} pixels of {} is over: {}", first.wantedWidth(), first.wantedHeight(),
            first.model().folder().name(), outcome);
        free();
    }

    @Override
    public void free() {
        if (arena != null) {
            arena.close();
            arena = null;
        }
    }

    @Override
    public boolean overlaps() {
        return cache.overlaps();
    }

    @Override
    public List<Integer> begins(List<Long> nanos, long loopNanos) {
        return engines.getFirst().spare().map(it -> it.begins(nanos, loopNanos))
            .orElseGet(() -> Collections.nCopies(nanos.size(), 0));
    }

    @Override
    public int home() {
        return engines.getFirst().spare().map(SpareTime::home).orElse(0);
    }

    private int steps() {
        return passes.stream().mapToInt(DenoisingPass::steps).sum();
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private Circumstances circumstances() {
        ResolvedRequest first = request.getFirst();
        LoadedModel model = first.model();
        long copiedBytes = passes.stream().mapToLong(DenoisingPass::copiedBytes).sum();
        Optional<Refinement> refiner = passes.stream().skip(1).findFirst().map(DenoisingPass::asRefiner);
        List<Adapter> adapters = model.loras().list().stream()
            .map(it -> new Adapter(it.lora().name(), it.lora().path(), it.weight())).toList();
        return new Circumstances(first.batch(), model.folder().name(), adapters, controls(first), first.noise().name(),
            model.denoiser().precision().type(), first.denoiser().plan(), devices.stream().map(Device::name).toList(),
            steps(), copiedBytes, build, text, loop, decode, refiner, passes.getFirst().rested(),
            passes.getFirst().window(), answer.map(RequestWork::report).orElse(CacheReport.NONE));
    }

    private static CacheReport report(Answer answer) {
        return switch (answer) {
            case Hit hit -> new CacheReport(Optional.of(new Source(hit.source(), hit.step(), hit.score(),
                hit.finished())),
                Optional.empty());
            case Miss miss -> new CacheReport(Optional.empty(), Optional.of(miss.reason().sentence()));
        };
    }

    private static List<Control> controls(ResolvedRequest request) {
        List<ControlNetPart> nets = request.steering().nets();
        return IntStream.range(0, nets.size()).mapToObj(index -> new Control(nets.get(index).name(),
            nets.get(index).folder(), request.steering().images().get(index))).toList();
    }

    /** For JDK Flight Recorder. Prompts are nobody else's business. */
    @Name("dev.slipstream.Request")
    @Label("Request")
    @Category("Slipstream")
    @Description("A request was drawn, from its turn to its pictures")
    private static final class RequestRun extends Event {
        @Label("Model")
        private String model = "";

        @Label("Plan")
        private String plan = "";

        @Label("Steps")
        private int steps;

        @Label("Width")
        private int width;

        @Label("Height")
        private int height;

        @Label("Pictures")
        private int batch;

        @Label("Outcome")
        @Description("done, cancelled, or the failure")
        private String outcome = "";

        private void tell(ResolvedRequest first, int all, String how) {
            end();
            model = first.model().folder().name();
            plan = first.denoiser().plan().strategy();
            steps = all;
            width = first.wantedWidth();
            height = first.wantedHeight();
            batch = first.batch();
            outcome = how;
            commit();
        }
    }
}
