package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Draws one request after another with the engines of a pipeline. One thread at a time. */
final class Painter implements AutoCloseable {
    private final List<Device> devices;
    private final EngineCache engines;

    /** @param engines are its own from here on */
    Painter(List<Device> devices, EngineCache engines) {
        this.devices = devices;
        this.engines = engines;
    }

    /**
     * @param request for each model
     * @throws java.util.concurrent.CancellationException if nobody wants the pictures any more
     */
    List<GeneratedImage> paint(List<ResolvedRequest> request, Generation generation) {
        long begin = System.nanoTime();
        List<BuiltModel> models = engines.build(request, generation::requireWanted);
        ImageDecoder decoder = models.getLast().decoder().orElseThrow();
        ResolvedRequest first = request.getFirst();
        int steps = request.stream().mapToInt(model -> model.noise().steps()).sum();
        try (Arena arena = Arena.ofShared()) {
            long start = System.nanoTime();
            List<Turn> turns = new ArrayList<>();
            for (int model = 0; model < models.size(); model++) {
                generation.requireWanted();
                turns.add(new Turn(request.get(model), models.get(model), arena));
            }
            MemorySegment latents = arena.allocate(first.latents().bytes(), 64);
            long encoded = System.nanoTime();
            turns.forEach(turn -> turn.run(latents, steps, generation, decoder));
            long looped = System.nanoTime();
            generation.requireWanted();
            List<Image> images = decoder.decodeAll(latents, first.latents().shape());
            Duration decode = Duration.ofNanos(System.nanoTime() - looped);
            PipelineDraft draft = first.draft();
            return IntStream.range(0, images.size()).mapToObj(index -> new GeneratedImage(images.get(index),
                first.request().forPicture(index), images.size(), draft.model().folder().name(),
                draft.model().loras().list(), first.noise().name(), draft.precision(), turns.getFirst().plan(),
                devices.stream().map(Device::name).toList(), steps, turns.stream().mapToLong(Turn::copiedBytes).sum(),
                Duration.ofNanos(start - begin), Duration.ofNanos(encoded - start), Duration.ofNanos(looped - encoded),
                decode, turns.stream().skip(1).findFirst().map(Turn::refinement))).toList();
        }
    }

    @Override
    public void close() {
        engines.close();
    }
}
