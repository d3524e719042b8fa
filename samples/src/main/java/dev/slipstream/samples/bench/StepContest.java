package dev.slipstream.samples.bench;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.pipelines.diffusion.Denoiser;
import dev.slipstream.pipelines.diffusion.DeviceForm;
import dev.slipstream.pipelines.graph.Graph;
import java.util.ArrayList;
import java.util.List;

/** All ways to do the steps of one model on one device, side by side: each round does each of them once. */
final class StepContest implements AutoCloseable {
    private final StepModel model;
    private final Device device;
    private final Owned owned = new Owned();
    private final List<StepRuns> ways = new ArrayList<>();

    /** Builds engines. The device stays the caller's. */
    StepContest(StepModel model, Device device, int steps) {
        this.model = model;
        this.device = device;
        try {
            Denoiser denoiser = owned.own(Denoiser.build(model.blueprint(), List.of(device)));
            Graph graph = model.blueprint().segment(0).graph();
            Engine engine = owned.own(DeviceForm.of(device).build(device, model.name(), graph));
            for (boolean replayed : device.replays() ? new boolean[] {false, true} : new boolean[] {false}) {
                ways.add(owned.own(new LoopSteps(denoiser, steps, replayed)));
                ways.add(owned.own(new EngineSteps(device, engine, model.blueprint().types(0), steps, replayed)));
            }
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    List<StepRow> run(int rounds) {
        List<Spread> millis = Interleaved.measure(ways, rounds, StepContest::millis).stream().map(Spread::of).toList();
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
}
