package dev.slipstream.samples.bench;

import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The denoiser's engine alone, again and again on the same tensors. No loop around it can be faster. */
final class EngineSteps implements StepRuns {
    private static final int AHEAD = 2;
    private static final Duration LONGEST = Duration.ofMinutes(1);

    private final boolean replayed;
    private final long[] queueNanos;
    private final Closer owned = new Closer();
    private final Stream stream;
    private final Bindings bindings;
    private final List<Event> done;
    private final Event begin;
    private final Event end;
    private CapturedGraph graph;

    EngineSteps(Device device, Engine engine, Map<String, TensorType> types, int steps, boolean replayed) {
        this.replayed = replayed;
        this.queueNanos = new long[steps];
        try {
            ExecutionContext context = owned.own(engine.newContext());
            Map<String, Tensor> tensors = new HashMap<>();
            for (Map<String, TensorType> ports : List.of(engine.inputs(), engine.outputs())) {
                ports.keySet().forEach(name -> tensors.put(name,
                    new Tensor(owned.own(device.allocate(types.get(name).bytes())).all(), types.get(name))));
            }
            this.bindings = context.bind(tensors);
            this.done = IntStream.range(0, AHEAD).mapToObj(i -> owned.own(device.newEvent())).toList();
            this.stream = owned.own(device.newStream("engine alone"));
            this.begin = owned.own(device.newTimedEvent());
            this.end = owned.own(device.newTimedEvent());
            // Engines prepare themselves when they run for the first time, which cannot be captured.
            stream.run(bindings);
            stream.synchronize();
            if (replayed) {
                stream.beginCapture();
                stream.run(bindings);
                graph = owned.own(stream.endCapture());
            }
        } catch (RuntimeException failure) {
            owned.closeAfter(failure);
            throw failure;
        }
    }

    @Override
    public String way() {
        return "engine, " + (replayed ? "replayed" : "direct");
    }

    @Override
    public int steps() {
        return queueNanos.length;
    }

    @Override
    public void run() {
        stream.record(begin);
        for (int step = 0; step < steps(); step++) {
            Event last = done.get(step % AHEAD);
            if (step >= AHEAD && !last.await(LONGEST)) {
                throw new IllegalStateException("a step takes longer than " + LONGEST.toSeconds() + " s");
            }
            long start = System.nanoTime();
            if (replayed) {
                stream.launch(graph);
            } else {
                stream.run(bindings);
            }
            stream.record(last);
            queueNanos[step] = System.nanoTime() - start;
        }
        stream.record(end);
        stream.synchronize();
    }

    /** Time that the last run kept the device's own thread busy or, on a GPU, that it took there, in nanoseconds. */
    long busyNanos() {
        return end.busyNanos() - begin.busyNanos();
    }

    @Override
    public long queueNanos(int step) {
        return queueNanos[step];
    }

    @Override
    public void close() {
        owned.close();
    }
}
