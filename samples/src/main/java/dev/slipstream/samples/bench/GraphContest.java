package dev.slipstream.samples.bench;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.diffusion.DeviceForm;
import dev.slipstream.pipelines.diffusion.LoopShape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.samples.verify.LoopInputs;
import dev.slipstream.samples.verify.ReferenceFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The graphs of one denoiser side by side on a CPU device: the one that an exporter wrote, and the one that Slipstream
 * writes from the checkpoint, in each {@link GraphForm}. Each round runs each of them.
 */
final class GraphContest implements AutoCloseable {
    /** Mean of calls in a row. */
    private record Call(double millis, double busyMillis) {
    }

    private final String model;
    private final Owned owned = new Owned();
    private final List<EngineSteps> ways = new ArrayList<>();
    private final List<Graph> graphs = new ArrayList<>();
    private TensorType latents;

    /**
     * Builds the engines. The device stays the caller's.
     *
     * @param folder reference cases, which say what the denoiser reads
     * @param side height and width of the latents, if not those of the cases
     */
    GraphContest(Path folder, OptionalInt side, Device device, int calls) {
        this.model = folder.toAbsolutePath().normalize().getFileName().toString();
        try {
            for (GraphForm form : GraphForm.values()) {
                add(folder, form, side, device, calls);
            }
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    private void add(Path folder, GraphForm form, OptionalInt side, Device device, int calls) {
        try (ReferenceFolder reference = ReferenceFolder.open(folder, Optional.of(form.format()), Precision.FP32)) {
            LoopShape shape = LoopInputs.read(reference.inputs(), reference.model()).shape();
            latents = side.isEmpty() ? shape.latents() : TensorType.of(DataType.FLOAT32, shape.latents().shape().dim(0),
                shape.latents().shape().dim(1), side.getAsInt(), side.getAsInt());
            Blueprint blueprint = Blueprint.draw(reference.model(), new LoopShape(latents, shape.extraChannels(),
                shape.guided(), shape.conditions()), new Sequential(), 1);
            Graph graph = form.of(blueprint.segment(0).graph());
            Engine engine = owned.own(DeviceForm.STANDARD.build(device, model, graph));
            graphs.add(graph);
            ways.add(owned.own(new EngineSteps(device, engine, blueprint.types(0), calls, false)));
        }
    }

    List<GraphRow> run(int rounds) {
        List<List<Call>> calls = Interleaved.measure(ways, rounds, GraphContest::call);
        List<GraphRow> rows = new ArrayList<>();
        for (int way = 0; way < ways.size(); way++) {
            List<Double> millis = calls.get(way).stream().map(Call::millis).toList();
            List<Double> busy = calls.get(way).stream().map(Call::busyMillis).toList();
            rows.add(GraphRow.of(model, latents, GraphForm.values()[way], graphs.get(way).nodes().size(),
                OptimizedGraph.nodes(graphs.get(way)), Spread.of(millis).median(), Spread.of(busy).median(),
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
}
