package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.reference.ReferenceFolder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** All ways to do the steps of one model on one device, side by side: each round does each of them once. */
final class StepBenchmark implements AutoCloseable {
    private final Model model;
    private final Device device;
    private final Closer owned = new Closer();
    private final List<StepRuns> ways = new ArrayList<>();

    /** Builds engines. The device stays the caller's. */
    StepBenchmark(Model model, Device device, int steps) {
        this.model = model;
        this.device = device;
        try {
            Denoiser denoiser = owned.own(Denoiser.build(model.partitioned(), List.of(device)));
            Graph graph = model.partitioned().segment(0).graph();
            Engine engine = owned.own(DeviceForm.of(device).build(device, model.name(), graph));
            for (boolean replayed : device.traits().capturesGraphs() ? List.of(false, true) : List.of(false)) {
                ways.add(owned.own(new LoopSteps(denoiser, steps, replayed)));
                ways.add(owned.own(new EngineSteps(device, engine, model.partitioned().types(0), steps, replayed)));
            }
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    List<StepRow> run(int rounds) {
        List<Spread> millis =
            Interleaved.measure(ways, rounds, StepBenchmark::millis).stream().map(Spread::of).toList();
        double first = millis.getFirst().median();
        List<StepRow> rows = new ArrayList<>();
        for (int way = 0; way < ways.size(); way++) {
            rows.add(StepRow.of(model, device.name(), ways.get(way), millis.get(way),
                hostMicros(ways.get(way)), first));
        }
        return rows;
    }

    private static double millis(StepRuns way) {
        long start = System.nanoTime();
        way.run();
        return (System.nanoTime() - start) / 1e6 / way.steps();
    }

    private static Spread hostMicros(StepRuns runs) {
        double[] micros = new double[runs.steps()];
        for (int step = 0; step < micros.length; step++) {
            micros[step] = runs.queueNanos(step) / 1e3;
        }
        return Spread.of(micros);
    }

    @Override
    public void close() {
        owned.close();
    }

    /** A denoiser whose steps are measured, whole, for one guided picture: a batch of two. */
    record Model(String name, Precision precision, PartitionedDenoiser partitioned) {
        /** Reads a model folder, in its own size, or a folder of reference cases, in their size. */
        static Model open(Path folder, Precision precision) {
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            if (!Files.exists(folder.resolve("inputs.safetensors"))) {
                try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").precision(precision.type())
                    .spec()) {
                    return new Model(name, precision, spec.unwrap(ImageRequest.of(""), PartitionedDenoiser.class));
                }
            }
            try (ReferenceFolder reference = ReferenceFolder.open(folder, Optional.empty(), precision)) {
                return new Model(name, precision,
                    PartitionedDenoiser.of(reference.model(), reference.loop().shape(), new Sequential(), 1));
            }
        }
    }

    /** The loop as a picture needs it: denoiser, guidance, and the step of a noise scheduler. */
    private static final class LoopSteps implements StepRuns {
        private static final Guidance GUIDANCE = Guidance.of(4);

        private final String way;
        private final Arena arena = Arena.ofShared();
        private final Execution execution;
        private final Map<String, MemorySegment> given;

        LoopSteps(Denoiser denoiser, int steps, boolean replayed) {
            this.way = "loop, " + (replayed ? "replayed" : "direct");
            this.execution = denoiser.prepare(table(steps), GUIDANCE, LoopOptions.DEFAULT.withReplay(replayed));
            this.given = LoopProbe.inputs(execution.program(), arena);
        }

        /** Every step a linear combination of latents and prediction, as DDIM's is. */
        private static NoiseTable table(int steps) {
            return new NoiseTable("linear", 1, IntStream.range(0, steps).mapToObj(step -> new NoiseTable.Row(
                999 - 999.0 * step / steps, 1, new LinearForm(0.99, -0.01, List.of(), 0), LinearForm.ZERO,
                LinearForm.ZERO)).toList());
        }

        @Override
        public String way() {
            return way;
        }

        @Override
        public int steps() {
            return execution.program().steps();
        }

        @Override
        public void run() {
            execution.run(given, LoopObserver.NONE);
        }

        @Override
        public long queueNanos(int step) {
            return execution.queueNanos(step);
        }

        @Override
        public void close() {
            execution.close();
            arena.close();
        }
    }
}
