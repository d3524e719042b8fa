package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Draws one request after another with the engines of a pipeline. One thread at a time. */
final class Painter implements AutoCloseable {
    private static final String CONTEXT = "encoder_hidden_states";

    private final PipelineModel model;
    private final List<Device> devices;
    private final ComponentModel text;
    private final long pixelsPerLatent;
    private final EngineCache engines;

    Painter(PipelineModel model, Strategy strategy, List<Device> devices) {
        this.model = model;
        this.devices = devices;
        this.text = TextEncoder.fix(model.textEncoder(), model.tokenizer());
        TensorType latents = latents(model.config().sampleHeight(), model.config().sampleWidth());
        ComponentModel decoder = ImageDecoder.fix(model.decoder(), latents);
        this.pixelsPerLatent =
            decoder.outputs().get(decoder.output()).shape().dim(2) / latents.shape().dim(2);
        this.engines = new EngineCache(model, text, strategy, devices);
    }

    Blueprint blueprint(ImageRequest request) {
        return engines.blueprint(shape(request));
    }

    private TensorType latents(long height, long width) {
        return TensorType.of(DataType.FLOAT32, 1, model.config().outChannels(), height, width);
    }

    private LoopShape shape(ImageRequest request) {
        TensorType context = text.outputs().get(text.output());
        long height = request.height().isPresent() ? side("height", request.height().getAsInt())
            : model.config().sampleHeight();
        long width = request.width().isPresent() ? side("width", request.width().getAsInt())
            : model.config().sampleWidth();
        return new LoopShape(latents(height, width), model.config().inChannels() - model.config().outChannels(),
            request.isGuided(), Map.of(CONTEXT, request.isGuided() ? context : LoopShape.withRows(context, 1)));
    }

    private long side(String name, int pixels) {
        if (pixels < pixelsPerLatent || pixels % pixelsPerLatent != 0) {
            throw new IllegalArgumentException("the " + name + " must be a multiple of " + pixelsPerLatent
                + " pixels for this model, not " + pixels);
        }
        return pixels / pixelsPerLatent;
    }

    GeneratedImage paint(ImageRequest request, Generation generation) {
        NoiseScheduler scheduler = request.scheduler().map(model.scheduler()::withMethod).orElse(model.scheduler());
        NoiseTable noise = scheduler.table(request.steps());
        LoopShape shape = shape(request);
        engines.build(shape);
        Execution execution = engines.execution(noise, request.isGuided() ? request.guidance() : 1,
            request.previewEvery() > 0);
        try (Arena arena = Arena.ofShared()) {
            long start = System.nanoTime();
            Map<String, MemorySegment> given = given(request, shape, noise, arena);
            MemorySegment latents = arena.allocate(shape.latents().bytes(), 64);
            long encoded = System.nanoTime();
            execution.run(given, generation.observer(step -> preview(request, execution, step, latents)));
            long looped = System.nanoTime();
            execution.latents(noise.steps() - 1, latents);
            Image image = engines.decoder().decode(latents);
            return new GeneratedImage(image, request, noise.name(), engines.blueprint(shape).plan(),
                devices.stream().map(Device::name).toList(), execution.program().copiedBytes(),
                Duration.ofNanos(encoded - start), Duration.ofNanos(looped - encoded),
                Duration.ofNanos(System.nanoTime() - looped));
        }
    }

    private Map<String, MemorySegment> given(ImageRequest request, LoopShape shape, NoiseTable noise, Arena arena) {
        Map<String, MemorySegment> given = new LinkedHashMap<>();
        MemorySegment context = engines.encoder().encode(request.negative(), request.prompt(), arena);
        given.put(CONTEXT, request.isGuided() ? context : context.asSlice(context.byteSize() / 2));
        SeededNoise seeded = new SeededNoise(request.seed(), shape.latents(), arena);
        given.put(Program.LATENTS, seeded.latents(noise.initialScale()));
        if (noise.needsNoise()) {
            given.put(Program.NOISE, seeded.steps(noise.steps()));
        }
        return given;
    }

    private Optional<Image> preview(ImageRequest request, Execution execution, int step, MemorySegment latents) {
        int every = request.previewEvery();
        if (every == 0 || (step + 1) % every != 0 || step + 1 == execution.program().steps()) {
            return Optional.empty();
        }
        execution.latents(step, latents);
        return Optional.of(engines.decoder().decode(latents));
    }

    @Override
    public void close() {
        engines.close();
        model.tokenizer().close();
    }
}
