package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Draws one request after another with the engines of a pipeline. One thread at a time. */
final class Painter implements AutoCloseable {
    private final PipelineDraft draft;
    private final List<Device> devices;
    private final Map<PipelineDraft, EngineCache> engines = new LinkedHashMap<>();

    Painter(PipelineDraft draft, List<Device> devices) {
        this.draft = draft;
        this.devices = devices;
        draft.models().forEach(model -> engines.put(model, new EngineCache(model, devices)));
    }

    List<GeneratedImage> paint(ImageRequest request, Generation generation) {
        draft.check(request);
        long begin = System.nanoTime();
        build(request);
        List<Turn> turns = turns(request);
        int steps = turns.stream().mapToInt(turn -> turn.noise().steps()).sum();
        Turn first = turns.getFirst();
        ImageDecoder decoder = engines.get(turns.getLast().draft()).decoder();
        try (Arena arena = Arena.ofShared()) {
            long start = System.nanoTime();
            turns.forEach(turn -> turn.encode(arena));
            MemorySegment latents = arena.allocate(first.latents().bytes(), 64);
            long encoded = System.nanoTime();
            turns.forEach(turn -> turn.run(latents, steps, generation, decoder));
            long looped = System.nanoTime();
            List<Image> images = decoder.decodeAll(latents, first.latents().shape());
            Duration decode = Duration.ofNanos(System.nanoTime() - looped);
            return IntStream.range(0, images.size()).mapToObj(index -> new GeneratedImage(images.get(index),
                request.forPicture(index), images.size(), draft.model().folder().name(), draft.model().loras().list(),
                first.noise().name(), draft.precision(), first.blueprint().plan(),
                devices.stream().map(Device::name).toList(), steps, turns.stream().mapToLong(Turn::copiedBytes).sum(),
                Duration.ofNanos(start - begin), Duration.ofNanos(encoded - start), Duration.ofNanos(looped - encoded),
                decode, turns.stream().skip(1).findFirst().map(Turn::refinement))).toList();
        }
    }

    /** All models stay on the devices, so that the next picture need not wait for engines. */
    private void build(ImageRequest request) {
        engines.forEach((model, cache) -> cache.release(model.commission(request)));
        List<MemoryNeed> needs = Collections.nCopies(devices.size(), MemoryNeed.NOTHING);
        for (Map.Entry<PipelineDraft, EngineCache> entry : engines.entrySet()) {
            needs = MemoryNeed.sums(needs, entry.getValue().lacking(entry.getKey().commission(request)));
        }
        MemoryNeed.requireRoom(needs, devices);
        engines.forEach((model, cache) -> cache.build(model.commission(request)));
    }

    private List<Turn> turns(ImageRequest request) {
        List<Turn> turns = new ArrayList<>();
        int before = 0;
        for (Map.Entry<PipelineDraft, EngineCache> entry : engines.entrySet()) {
            Turn turn = new Turn(entry.getKey(), entry.getKey().commission(request), entry.getValue(), before);
            turns.add(turn);
            before += turn.noise().steps();
        }
        return turns;
    }

    @Override
    public void close() {
        engines.values().forEach(EngineCache::close);
    }
}
