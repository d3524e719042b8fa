package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.DeviceTensor;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.Launch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A context of TensorRT's as the CUDA provider sees it. It remembers the last launch: while that is repeated, as in a
 * loop, a launch is one call.
 */
final class TensorRtContext implements EngineContext {
    private final String engine;
    private final List<EngineTensor> tensors;
    private final InferenceContext context;
    /** Names and shapes in C. */
    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> names;
    /** What the addresses in the context are of, the shapes, and the last run outside of a recording; null: nothing. */
    private TensorRtLaunch last;
    private TensorRtLaunch shaped;
    private TensorRtLaunch settled;

    TensorRtContext(String engine, List<EngineTensor> tensors, InferenceContext context) {
        this.engine = engine;
        this.tensors = tensors;
        this.context = context;
        this.names = tensors.stream().map(tensor -> arena.allocateFrom(tensor.name())).toList();
    }

    @Override
    public Launch prepare(Map<String, DeviceTensor> given) {
        context.object();
        List<TensorRtLaunch.Binding> bindings = new ArrayList<>();
        for (int index = 0; index < tensors.size(); index++) {
            EngineTensor tensor = tensors.get(index);
            DeviceTensor bound = given.get(tensor.name());
            if (bound == null) {
                throw new IllegalArgumentException(engine + " needs tensor '" + tensor.name() + "'");
            }
            bindings.add(new TensorRtLaunch.Binding(tensor.name(), bound.type().shape(), names.get(index),
                MemorySegment.ofAddress(bound.address()), dims(tensor, bound)));
        }
        return new TensorRtLaunch(this, bindings.toArray(TensorRtLaunch.Binding[]::new));
    }

    /** For inputs with open dimensions. */
    private Optional<MemorySegment> dims(EngineTensor tensor, DeviceTensor bound) {
        return tensor.range().map(range -> {
            if (!range.contains(bound.type().shape())) {
                throw new IllegalArgumentException(engine + " was built for shapes " + range.least() + " to "
                    + range.most() + " of input '" + tensor.name() + "', not for " + bound.type().shape());
            }
            return Dims.of(bound.type().shape(), arena);
        });
    }

    /** For {@link TensorRtLaunch}. */
    void enqueue(TensorRtLaunch launch, MemorySegment stream) {
        run(launch, stream);
        settled = launch;
    }

    /**
     * For {@link TensorRtLaunch}, on a stream that is being captured. NVIDIA's developer guide asks for one
     * {@code enqueueV3} outside of a capture after each change of shapes.
     */
    void record(TensorRtLaunch launch, MemorySegment stream) {
        if (settled == null || !launch.hasShapesOf(settled)) {
            throw refused("it has not run with these shapes last, which it must before it can be recorded",
                context.tensorRt().mark());
        }
        run(launch, stream);
    }

    private void run(TensorRtLaunch launch, MemorySegment stream) {
        long mark = context.tensorRt().mark();
        if (last != launch) {
            last = null;
            boolean reshape = shaped == null || !launch.hasShapesOf(shaped);
            shaped = reshape ? null : shaped;
            launch.bind(context, reshape, mark);
            shaped = launch;
            last = launch;
        }
        if (!context.enqueue(stream)) {
            throw refused("enqueueV3 failed", mark);
        }
    }

    DeviceException refused(String what, long mark) {
        return context.tensorRt().failure(engine + " was not queued: " + what, mark, Optional.empty());
    }

    @Override
    public void close() {
        context.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
