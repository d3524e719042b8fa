package dev.slipstream.samples.bench;

import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.GeneratedImage;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.graph.precision.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A plan with its pipeline open, and what it has drawn so far. One thread. */
final class Contender implements AutoCloseable {
    private final BenchPlan plan;
    private final DiffusionPipeline pipeline;
    private final List<Double> loopMillis = new ArrayList<>();
    private final List<Image> pictures = new ArrayList<>();
    private long copiedBytes;

    Contender(BenchPlan plan, Path model, Precision precision, Consumer<String> warned) {
        this.plan = plan;
        this.pipeline = DiffusionPipeline.of(model).devices(plan.devices().toArray(String[]::new)).plan(plan.spec())
            .precision(precision).replayed(plan.replayed()).warnings(warned).open();
    }

    /** Builds engines and lets the JVM see the loop, outside of all counting. */
    void warmUp(ImageRequest request) {
        copiedBytes = draw(request).copiedBytes();
    }

    /** @param timed whether the time counts; @param kept whether the picture counts */
    void take(ImageRequest request, boolean timed, boolean kept) {
        GeneratedImage drawn = draw(request);
        if (timed) {
            loopMillis.add(drawn.loop().toNanos() / 1e6);
        }
        if (kept) {
            pictures.add(drawn.image());
        }
    }

    private GeneratedImage draw(ImageRequest request) {
        return pipeline.submit(request).result().join();
    }

    BenchPlan plan() {
        return plan;
    }

    DiffusionPipeline pipeline() {
        return pipeline;
    }

    Spread loopMillis() {
        return Spread.of(loopMillis.stream().mapToDouble(Double::doubleValue).toArray());
    }

    List<Image> pictures() {
        return pictures;
    }

    /** Bytes that go between devices for one picture. */
    long copiedBytes() {
        return copiedBytes;
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
