package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.run.Estimates;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * What a pipeline has built, and keeps for the next request: engines for one size and batch at a time, and the loops
 * that were used last. The engines of the autoencoder are for a tile, and stay when pictures of other sizes have such
 * tiles, too. One thread at a time.
 */
final class EngineCache implements AutoCloseable {
    /** A loop is cheap beside engines: buffers, contexts and streams. */
    private static final int MOST_LOOPS = 4;

    /** Bytes of the denoiser's weights up to which components are built at the same time. */
    private static final long MOST_BYTES_AT_ONCE = 1L << 30;

    private record LoopKey(NoiseTable noise, Guidance guidance, Estimates estimates) {
    }

    private final PipelineDraft draft;
    private final List<Device> devices;
    private final Map<LoopKey, Execution> loops = new LinkedHashMap<>(16, 0.75f, true);
    private LoopShape built;
    private TensorType builtTile;
    private TextEncoder encoder;
    private Denoiser denoiser;
    private ImageDecoder decoder;
    private ImageEncoder pictureEncoder;

    EngineCache(PipelineDraft draft, List<Device> devices) {
        this.draft = draft;
        this.devices = devices;
    }

    /** Frees what is of no use to this request: what was built for another size, or to read prompts otherwise. */
    void release(Commission commission) {
        if (!commission.shape().equals(built)) {
            closeLoops();
        }
        TensorType tile = draft.autoencoder().tile(commission.shape().latents());
        if (!tile.equals(builtTile)) {
            closeAutoencoder();
        }
        if (encoder != null && encoder.clipSkip() != commission.request().conditioning().clipSkip()) {
            closeEncoder();
        }
    }

    /** What {@link #build} will take on each device, after {@link #release}. */
    List<MemoryNeed> lacking(Commission commission) {
        return built != null ? Collections.nCopies(devices.size(), MemoryNeed.NOTHING)
            : draft.memory(commission.request(), UnrollOptions.of(devices, draft.options().guarded()),
                missing(commission));
    }

    /**
     * Builds what is missing for this request, after {@link #release}. The components of small models are built at the
     * same time, those of large ones one after another, as building takes memory, too.
     */
    void build(Commission commission) {
        Set<Component> missing = missing(commission);
        if (!missing.isEmpty()) {
            build(missing, commission.shape(), commission.request().conditioning().clipSkip());
        }
    }

    private Set<Component> missing(Commission commission) {
        Set<Component> missing = EnumSet.noneOf(Component.class);
        if (encoder == null) {
            missing.add(Component.TEXT_ENCODER);
        }
        if (built == null) {
            missing.add(Component.DENOISER);
        }
        if (decoder == null && draft.span().isLast()) {
            missing.add(Component.VAE_DECODER);
        }
        if (pictureEncoder == null && commission.encodesPicture()) {
            missing.add(Component.VAE_ENCODER);
        }
        return missing;
    }

    private void build(Set<Component> missing, LoopShape shape, int clipSkip) {
        Device device = devices.getFirst();
        Autoencoder halves = draft.autoencoder();
        List<CompletableFuture<Void>> building = new ArrayList<>();
        if (missing.contains(Component.TEXT_ENCODER)) {
            building.add(start("text encoder",
                () -> encoder = TextEncoder.build(draft.model().texts(), clipSkip, device)));
        }
        if (missing.contains(Component.VAE_ENCODER)) {
            building.add(start("picture encoder", () -> pictureEncoder = ImageEncoder.build(
                halves.encoder(shape.latents()), halves.config(), halves.tile(shape.latents()), device)));
        }
        if (missing.contains(Component.VAE_DECODER)) {
            building.add(start("image decoder",
                () -> decoder = ImageDecoder.build(halves.decoder(shape.latents()), halves.config(), device)));
        }
        RuntimeException failure = null;
        try {
            if (missing.contains(Component.DENOISER)) {
                denoiser = Denoiser.build(draft.blueprint(shape), devices);
            }
        } catch (RuntimeException denoiserFailure) {
            failure = denoiserFailure;
        }
        for (CompletableFuture<Void> component : building) {
            try {
                component.join();
            } catch (CompletionException wrapped) {
                failure = failure == null ? cause(wrapped) : failure;
            }
        }
        if (failure != null) {
            closeLoops();
            closeAutoencoder();
            throw failure;
        }
        built = shape;
        builtTile = halves.tile(shape.latents());
    }

    /** What it builds can be read when it has been joined. */
    private CompletableFuture<Void> start(String name, Runnable build) {
        boolean large = draft.model().denoiser().graph().weightBytes() > MOST_BYTES_AT_ONCE;
        return CompletableFuture.runAsync(build, large ? Runnable::run
            : task -> Thread.ofPlatform().name("build " + name).start(task));
    }

    private static RuntimeException cause(CompletionException wrapped) {
        return wrapped.getCause() instanceof RuntimeException cause ? cause : wrapped;
    }

    TextEncoder encoder() {
        return encoder;
    }

    /** There is none where another model takes the last steps. */
    ImageDecoder decoder() {
        return decoder;
    }

    /** Only after {@link #build} for a request with a picture that becomes latents. */
    ImageEncoder pictureEncoder() {
        return pictureEncoder;
    }

    /**
     * The loop for a noise table, ready to run.
     *
     * @param estimates after which steps the clean image that the step expects is read
     */
    Execution execution(NoiseTable noise, Guidance guidance, Estimates estimates) {
        LoopKey key = new LoopKey(noise, guidance, estimates);
        Execution ready = loops.get(key);
        if (ready == null) {
            if (loops.size() >= MOST_LOOPS) {
                loops.remove(loops.keySet().iterator().next()).close();
            }
            ready = denoiser.prepare(noise, guidance, draft.options().withEstimates(estimates));
            loops.put(key, ready);
        }
        return ready;
    }

    private void closeLoops() {
        loops.values().forEach(Execution::close);
        loops.clear();
        if (denoiser != null) {
            denoiser.close();
            denoiser = null;
        }
        built = null;
    }

    private void closeAutoencoder() {
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
        if (pictureEncoder != null) {
            pictureEncoder.close();
            pictureEncoder = null;
        }
        builtTile = null;
    }

    private void closeEncoder() {
        if (encoder != null) {
            encoder.close();
            encoder = null;
        }
    }

    @Override
    public void close() {
        closeLoops();
        closeAutoencoder();
        closeEncoder();
    }
}
