package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.NoiseTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Draws one request after another with the engines of a pipeline. One thread at a time. */
final class Painter implements AutoCloseable {
    private final PipelineDraft draft;
    private final List<Device> devices;
    private final EngineCache engines;

    Painter(PipelineDraft draft, List<Device> devices) {
        this.draft = draft;
        this.devices = devices;
        this.engines = new EngineCache(draft, devices);
    }

    GeneratedImage paint(ImageRequest request, Generation generation) {
        draft.check(request);
        Commission commission = draft.commission(request);
        NoiseTable noise = commission.noise();
        LoopShape shape = commission.shape();
        long begin = System.nanoTime();
        engines.build(commission);
        Execution execution = engines.execution(noise, commission.loopGuidance(), request.previewEvery());
        try (Arena arena = Arena.ofShared()) {
            long start = System.nanoTime();
            Map<String, MemorySegment> given =
                new RequestTensors(commission, noise, shape.latents(), arena).make(engines);
            MemorySegment latents = arena.allocate(shape.latents().bytes(), 64);
            long encoded = System.nanoTime();
            execution.run(given, generation.observer(step -> preview(execution, step, latents, shape)));
            long looped = System.nanoTime();
            execution.latents(noise.steps() - 1, latents);
            Image image = engines.decoder().decode(latents, shape.latents().shape());
            return new GeneratedImage(image, request, draft.model().folder().name(), noise.name(),
                draft.precision(), draft.blueprint(shape).plan(), devices.stream().map(Device::name).toList(),
                noise.steps(), execution.program().copiedBytes(), Duration.ofNanos(start - begin),
                Duration.ofNanos(encoded - start), Duration.ofNanos(looped - encoded),
                Duration.ofNanos(System.nanoTime() - looped));
        }
    }

    private Optional<Image> preview(Execution execution, int step, MemorySegment latents, LoopShape shape) {
        if (!execution.program().estimates().containsKey(step)) {
            return Optional.empty();
        }
        execution.estimate(step, latents);
        return Optional.of(engines.decoder().decode(latents, shape.latents().shape()));
    }

    @Override
    public void close() {
        engines.close();
    }
}
