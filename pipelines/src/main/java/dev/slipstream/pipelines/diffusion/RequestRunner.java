package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Adapter;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Circumstances;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Control;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.LatentsDecoder;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
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
 * Runs the requests of a pipeline one after another, on a thread of its own, with the engines that it keeps. Any thread
 * may add requests and close it.
 */
final class RequestRunner implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestRunner.class);

    private final List<Device> devices;
    private final EngineCache engines;
    private final List<AutoCloseable> others;
    private final Optional<Consumer<Timeline>> timelines;
    private final SequencedMap<RunningRequest<?>, Work> waiting = new LinkedHashMap<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("slipstream").unstarted(this::work);
    private boolean closing;

    /**
     * @param engines are its own from here on
     * @param others that its thread closes with the devices, after the engines
     * @param timelines who is told what ran when; loops must be traced then
     */
    RequestRunner(List<Device> devices, EngineCache engines, List<AutoCloseable> others,
        Optional<Consumer<Timeline>> timelines) {
        this.devices = devices;
        this.engines = engines;
        this.others = others;
        this.timelines = timelines;
    }

    /**
     * What is to be done for one.
     *
     * @param request for each model
     * @param result is told what is drawn
     */
    private record Work(List<ResolvedRequest> request, BiConsumer<List<Image>, Circumstances> result) {
    }

    void start() {
        thread.start();
    }

    /** @throws IllegalStateException if it is closed */
    synchronized void requireOpen() {
        if (closing) {
            throw new IllegalStateException("the pipeline is closed");
        }
    }

    /** Works out what takes an open pipeline. @throws IllegalStateException if it is closed, before or meanwhile */
    <T> T whileOpen(Supplier<T> work) {
        requireOpen();
        try {
            return work.get();
        } catch (IllegalStateException closed) {
            // By another thread, just now.
            requireOpen();
            throw closed;
        }
    }

    /**
     * Queues a request.
     *
     * @param request for each model
     * @param description what becomes of pictures, and how they came about
     * @throws IllegalStateException if it is closed
     */
    synchronized <R> void add(RunningRequest<R> running, List<ResolvedRequest> request,
        BiFunction<List<Image>, Circumstances, R> description) {
        requireOpen();
        waiting.put(running, new Work(request, (images, how) -> running.complete(description.apply(images, how))));
        notifyAll();
    }

    /** Takes one out that still waits. */
    synchronized void remove(RunningRequest<?> running) {
        waiting.remove(running);
    }

    private void work() {
        try {
            for (Runnable next = take(); next != null; next = take()) {
                next.run();
            }
            closeAll();
            ended.complete(null);
        } catch (Throwable failure) {
            ended.completeExceptionally(failure);
        }
    }

    private void closeAll() {
        List<AutoCloseable> all = new ArrayList<>(devices);
        all.addAll(others);
        all.add(engines);
        Closer.closeAll(all);
    }

    /** The next, null when it is closed. */
    private synchronized @Nullable Runnable take() {
        while (waiting.isEmpty() && !closing) {
            try {
                wait();
            } catch (InterruptedException ofNoUse) {
                // Only close() ends the thread.
            }
        }
        Map.Entry<RunningRequest<?>, Work> first = waiting.pollFirstEntry();
        return first == null ? null : () -> run(first.getValue(), first.getKey());
    }

    private void run(Work work, RunningRequest<?> running) {
        RequestRun recorded = FlightRecorder.isInitialized() ? new RequestRun() : null;
        if (recorded != null) {
            recorded.begin();
        }
        String outcome = "done";
        try {
            draw(work, running);
        } catch (Throwable failure) {
            outcome = failure instanceof CancellationException ? "cancelled" : failure.toString();
            running.fail(failure);
        }
        ResolvedRequest first = work.request.getFirst();
        if (recorded != null) {
            recorded.end();
            recorded.model = first.model().folder().name();
            recorded.plan = first.denoiser().plan().strategy();
            recorded.steps = work.request.stream().mapToInt(it -> it.noise().steps()).sum();
            recorded.width = first.wantedWidth();
            recorded.height = first.wantedHeight();
            recorded.batch = first.batch();
            recorded.outcome = outcome;
            recorded.commit();
        }
        LOG.debug("a request for {}x{} pixels of {} is over: {}", first.wantedWidth(), first.wantedHeight(),
            first.model().folder().name(), outcome);
    }

    /** For JDK Flight Recorder. Prompts are nobody else's business. */
    @Name("dev.slipstream.Request")
    @Label("Request")
    @Category("Slipstream")
    @Description("A request was drawn, from its turn to its pictures")
    private static final class RequestRun extends Event {
        @Label("Model")
        private String model;

        @Label("Plan")
        private String plan;

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
        private String outcome;
    }

    private void draw(Work work, RunningRequest<?> running) {
        Stopwatch times = new Stopwatch();
        List<RequestEngines> built = engines.build(work.request.stream().map(ResolvedRequest::keys).toList(),
            running::requireWanted);
        LatentsDecoder decoder = built.getLast().decoder().orElseThrow();
        LatentsDecoder previews = built.getLast().previewDecoder().orElse(decoder);
        TensorType type = work.request.getFirst().latents();
        try (Arena arena = Arena.ofShared()) {
            times.built();
            List<DenoisingPass> passes = new ArrayList<>();
            for (int model = 0; model < built.size(); model++) {
                running.requireWanted();
                passes.add(new DenoisingPass(work.request.get(model), built.get(model), arena));
            }
            MemorySegment latents = arena.allocate(type.bytes(), 64);
            times.encoded();
            int steps = passes.stream().mapToInt(DenoisingPass::steps).sum();
            passes.forEach(pass -> {
                pass.run(latents, steps, running, previews);
                timelines.ifPresent(listener -> listener.accept(pass.timeline()));
            });
            times.looped();
            running.requireWanted();
            List<Image> images = decoder.decode(latents, type.shape()).stream()
                .map(work.request.getFirst()::finished).toList();
            times.decoded();
            work.result.accept(images, circumstances(passes, times));
        }
    }

    private Circumstances circumstances(List<DenoisingPass> passes, Stopwatch times) {
        ResolvedRequest first = passes.getFirst().request();
        LoadedModel model = first.model();
        int steps = passes.stream().mapToInt(DenoisingPass::steps).sum();
        long copiedBytes = passes.stream().mapToLong(DenoisingPass::copiedBytes).sum();
        Optional<Refinement> refiner = passes.stream().skip(1).findFirst().map(DenoisingPass::asRefiner);
        List<Adapter> adapters = model.loras().list().stream()
            .map(it -> new Adapter(it.lora().name(), it.lora().path(), it.weight())).toList();
        return new Circumstances(first.batch(), model.folder().name(), adapters, controls(first), first.noise().name(),
            model.denoiser().precision().type(), first.denoiser().plan(), devices.stream().map(Device::name).toList(),
            steps, copiedBytes, times.build, times.text, times.loop, times.decode, refiner,
            passes.getFirst().rested());
    }

    private static List<Control> controls(ResolvedRequest request) {
        List<ControlNetPart> nets = request.steering().nets();
        return IntStream.range(0, nets.size()).mapToObj(index -> new Control(nets.get(index).name(),
            nets.get(index).folder(), request.steering().images().get(index))).toList();
    }

    /** How long each phase of a request takes; each ends where the next begins. */
    private static final class Stopwatch {
        private long last = System.nanoTime();
        private Duration build = Duration.ZERO;
        private Duration text = Duration.ZERO;
        private Duration loop = Duration.ZERO;
        private Duration decode = Duration.ZERO;

        private Duration lap() {
            long begin = last;
            last = System.nanoTime();
            return Duration.ofNanos(last - begin);
        }

        private void built() {
            build = lap();
        }

        private void encoded() {
            text = lap();
        }

        private void looped() {
            loop = lap();
        }

        private void decoded() {
            decode = lap();
        }
    }

    /**
     * Takes no more, ends those that wait and lets the one that runs end; then the thread does its last work. Waits for
     * that, also where another thread has closed it first, unless this is the thread itself.
     *
     * @throws RuntimeException what the last work threw, to the first who closes it
     */
    @Override
    public void close() {
        List<RunningRequest<?>> left;
        boolean first;
        synchronized (this) {
            first = !closing;
            closing = true;
            left = List.copyOf(waiting.keySet());
            waiting.clear();
            notifyAll();
        }
        left.forEach(running -> running.fail(
            new CancellationException("the pipeline was closed before this request's turn")));
        if (Thread.currentThread() == thread) {
            if (first) {
                ended.exceptionally(failure -> {
                    LOG.warn("closing the pipeline failed", failure);
                    return null;
                });
            }
            return;
        }
        try {
            ended.join();
        } catch (CompletionException failed) {
            if (first) {
                throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
            }
        }
    }
}
