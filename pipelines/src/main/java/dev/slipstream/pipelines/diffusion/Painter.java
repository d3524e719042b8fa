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
import java.util.stream.IntStream;

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

    List<GeneratedImage> paint(ImageRequest request, Generation generation) {
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
            execution.run(given, generation.observer(step -> previews(execution, step, latents, request.batch())));
            long looped = System.nanoTime();
            execution.latents(noise.steps() - 1, latents);
            List<Image> images = decode(latents, request.batch());
            Duration decode = Duration.ofNanos(System.nanoTime() - looped);
            return IntStream.range(0, images.size()).mapToObj(index -> new GeneratedImage(images.get(index),
                request.forPicture(index), images.size(), draft.model().folder().name(), noise.name(),
                draft.precision(), draft.blueprint(shape).plan(), devices.stream().map(Device::name).toList(),
                noise.steps(), execution.program().copiedBytes(), Duration.ofNanos(start - begin),
                Duration.ofNanos(encoded - start), Duration.ofNanos(looped - encoded), decode)).toList();
        }
    }

    private List<Image> previews(Execution execution, int step, MemorySegment latents, int batch) {
        if (!execution.program().estimates().containsKey(step)) {
            return List.of();
        }
        execution.estimate(step, latents);
        return decode(latents, batch);
    }

    /** One after another: the decoder's memory is that of one picture. */
    private List<Image> decode(MemorySegment latents, int batch) {
        long bytes = latents.byteSize() / batch;
        return IntStream.range(0, batch)
            .mapToObj(index -> engines.decoder().decode(latents.asSlice(index * bytes, bytes))).toList();
    }

    @Override
    public void close() {
        engines.close();
    }
}
