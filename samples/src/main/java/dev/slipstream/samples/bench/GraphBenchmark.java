package dev.slipstream.samples.bench;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.samples.reference.ReferenceFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The graphs of one denoiser side by side on a CPU device: the one that an exporter wrote, and the one that Slipstream
 * writes from the checkpoint, in each {@link Form}. Each round runs each of them.
 */
final class GraphBenchmark implements AutoCloseable {
    /** Mean of calls in a row. */
    private record Call(double millis, double busyMillis) {
    }

    private final String model;
    private final Closer owned = new Closer();
    private final List<EngineSteps> ways = new ArrayList<>();
    private final List<Graph> graphs = new ArrayList<>();
    private TensorType latents;

    /**
     * Builds the engines. The device stays the caller's.
     *
     * @param folder reference cases, which say what the denoiser reads
     * @param side height and width of the latents, if not those of the cases
     */
    GraphBenchmark(Path folder, OptionalInt side, Device device, int calls) {
        this.model = folder.toAbsolutePath().normalize().getFileName().toString();
        try {
            for (Form form : Form.values()) {
                add(folder, form, side, device, calls);
            }
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private void add(Path folder, Form form, OptionalInt side, Device device, int calls) {
        try (ReferenceFolder reference = ReferenceFolder.open(folder, Optional.of(form.format()), Precision.FP32)) {
            LoopShape shape = reference.loop().shape();
            latents = side.isEmpty() ? shape.latents() : TensorType.of(DataType.FLOAT32, shape.latents().shape().dim(0),
                shape.latents().shape().dim(1), side.getAsInt(), side.getAsInt());
            PartitionedDenoiser partitioned = PartitionedDenoiser.of(reference.model(), new LoopShape(latents,
                shape.extraChannels(), shape.guided(), shape.conditions()), new Sequential(), 1);
            Graph graph = form.of(partitioned.segment(0).graph());
            Engine engine = owned.own(DeviceForm.STANDARD.build(device, model, graph));
            graphs.add(graph);
            ways.add(owned.own(new EngineSteps(device, engine, partitioned.types(0), calls, false)));
        }
    }

    List<GraphRow> run(int rounds) {
        List<List<Call>> calls = Interleaved.measure(ways, rounds, GraphBenchmark::call);
        List<GraphRow> rows = new ArrayList<>();
        for (int way = 0; way < ways.size(); way++) {
            List<Double> millis = calls.get(way).stream().map(Call::millis).toList();
            List<Double> busy = calls.get(way).stream().map(Call::busyMillis).toList();
            rows.add(GraphRow.of(model, latents, Form.values()[way], graphs.get(way).nodes().size(),
                BareOnnxRuntime.optimizedNodes(graphs.get(way)), Spread.of(millis).median(), Spread.of(busy).median(),
                rows.isEmpty() ? null : rows.getFirst()));
        }
        return rows;
    }

    private static Call call(EngineSteps way) {
        long start = System.nanoTime();
        way.run();
        return new Call((System.nanoTime() - start) / 1e6 / way.steps(), way.busyNanos() / 1e6 / way.steps());
    }

    @Override
    public void close() {
        owned.close();
    }

    /** Whose graph it is, and whether it has standard operators only or the form that CPU devices get. */
    enum Form {
        EXPORTED(ComponentFormat.ONNX, DeviceForm.STANDARD, "exporter's"),
        EXPORTED_FOR_CPU(ComponentFormat.ONNX, DeviceForm.ONNX_RUNTIME, "exporter's, for CPUs"),
        WRITTEN(ComponentFormat.CHECKPOINT, DeviceForm.STANDARD, "from the checkpoint"),
        WRITTEN_FOR_CPU(ComponentFormat.CHECKPOINT, DeviceForm.ONNX_RUNTIME, "from the checkpoint, for CPUs");

        private final ComponentFormat format;
        private final DeviceForm form;
        private final String title;

        Form(ComponentFormat format, DeviceForm form, String title) {
            this.format = format;
            this.form = form;
            this.title = title;
        }

        ComponentFormat format() {
            return format;
        }

        /** The graph in this form. @param graph with fixed shapes */
        Graph of(Graph graph) {
            return form.of(graph);
        }

        @Override
        public String toString() {
            return title;
        }
    }
}
