package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * What a pipeline has built, and keeps for the next request: engines for one size at a time, and the loops that were
 * used last. One thread at a time.
 */
final class EngineCache implements AutoCloseable {
    /** A loop is cheap beside engines: buffers, contexts and streams. */
    private static final int MOST_LOOPS = 4;

    /** Bytes of the denoiser's weights up to which components are built at the same time. */
    private static final long MOST_BYTES_AT_ONCE = 1L << 30;

    private record LoopKey(NoiseTable noise, double guidance, int estimateEvery) {
    }

    private final PipelineDraft draft;
    private final List<Device> devices;
    private final Map<LoopKey, Execution> loops = new LinkedHashMap<>(16, 0.75f, true);
    private LoopShape built;
    private TextEncoder encoder;
    private Denoiser denoiser;
    private ImageDecoder decoder;

    EngineCache(PipelineDraft draft, List<Device> devices) {
        this.draft = draft;
        this.devices = devices;
    }

    /**
     * Builds what is missing for the size of this request, and frees what was for another size. The components of small
     * models are built at the same time, those of large ones one after another, as building takes memory, too.
     *
     * @throws dev.slipstream.bridge.DeviceOutOfMemoryException before anything is built, if a device has no room
     */
    void build(ImageRequest request) {
        LoopShape shape = draft.shape(request);
        if (shape.equals(built)) {
            return;
        }
        closeSized();
        MemoryNeed.requireRoom(draft.memory(request,
            UnrollOptions.of(devices, draft.options().guarded()), encoder == null), devices);
        Device device = devices.getFirst();
        PipelineModel model = draft.model();
        CompletableFuture<TextEncoder> text = encoder != null ? CompletableFuture.completedFuture(encoder)
            : start("text encoder", () -> TextEncoder.build(draft.text(), model.tokenizer(), device));
        CompletableFuture<ImageDecoder> image = start("image decoder", () ->
            ImageDecoder.build(ImageDecoder.fix(model.decoder(), shape.latents()), model.decoderConfig(), device));
        RuntimeException failure = null;
        try {
            denoiser = Denoiser.build(draft.blueprint(shape), devices);
        } catch (RuntimeException denoiserFailure) {
            failure = denoiserFailure;
        }
        try {
            encoder = text.join();
        } catch (CompletionException wrapped) {
            failure = failure == null ? cause(wrapped) : failure;
        }
        try {
            decoder = image.join();
        } catch (CompletionException wrapped) {
            failure = failure == null ? cause(wrapped) : failure;
        }
        if (failure != null) {
            closeSized();
            throw failure;
        }
        built = shape;
    }

    private <T> CompletableFuture<T> start(String name, Supplier<T> build) {
        boolean large = draft.model().denoiser().graph().weightBytes() > MOST_BYTES_AT_ONCE;
        return CompletableFuture.supplyAsync(build, large ? Runnable::run
            : task -> Thread.ofPlatform().name("build " + name).start(task));
    }

    private static RuntimeException cause(CompletionException wrapped) {
        return wrapped.getCause() instanceof RuntimeException cause ? cause : wrapped;
    }

    TextEncoder encoder() {
        return encoder;
    }

    ImageDecoder decoder() {
        return decoder;
    }

    /**
     * The loop for a noise table, ready to run.
     *
     * @param estimateEvery after every so many steps the clean image that the step expects is read; 0 for never
     */
    Execution execution(NoiseTable noise, double guidance, int estimateEvery) {
        LoopKey key = new LoopKey(noise, guidance, estimateEvery);
        Execution ready = loops.get(key);
        if (ready == null) {
            if (loops.size() >= MOST_LOOPS) {
                loops.remove(loops.keySet().iterator().next()).close();
            }
            ready = denoiser.prepare(noise, guidance, draft.options().withEstimateEvery(estimateEvery));
            loops.put(key, ready);
        }
        return ready;
    }

    private void closeSized() {
        loops.values().forEach(Execution::close);
        loops.clear();
        if (denoiser != null) {
            denoiser.close();
            denoiser = null;
        }
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
        built = null;
    }

    @Override
    public void close() {
        closeSized();
        if (encoder != null) {
            encoder.close();
            encoder = null;
        }
    }
}
