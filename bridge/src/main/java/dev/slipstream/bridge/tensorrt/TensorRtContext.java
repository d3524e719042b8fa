package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.cuda.DeviceTensor;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.Launch;
import dev.slipstream.bridge.tensorrt.abi.Dims;
import dev.slipstream.bridge.tensorrt.api.InferenceContext;
import dev.slipstream.bridge.tensorrt.api.InferenceEngine;
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
    private final List<InferenceEngine.Tensor> tensors;
    private final InferenceContext context;
    /** Names and shapes in C. */
    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> names;
    /** The launches whose addresses and shapes the context has, and the last that ran outside of a capture, or null. */
    private BoundLaunch last;
    private BoundLaunch shaped;
    private BoundLaunch settled;

    /** @param engine what errors call the engine: with its device */
    TensorRtContext(String engine, List<InferenceEngine.Tensor> tensors, InferenceContext context) {
        this.engine = engine;
        this.tensors = tensors;
        this.context = context;
        this.names = tensors.stream().map(tensor -> arena.allocateFrom(tensor.name())).toList();
    }

    @Override
    public Launch prepare(Map<String, DeviceTensor> given) {
        context.object();
        List<Binding> bindings = new ArrayList<>();
        for (int index = 0; index < tensors.size(); index++) {
            InferenceEngine.Tensor tensor = tensors.get(index);
            DeviceTensor bound = given.get(tensor.name());
            if (bound == null) {
                throw new IllegalArgumentException(engine + " needs tensor '" + tensor.name() + "'");
            }
            bindings.add(new Binding(tensor.name(), bound.type().shape(), names.get(index),
                MemorySegment.ofAddress(bound.address()), dims(tensor, bound)));
        }
        return new BoundLaunch(bindings.toArray(Binding[]::new));
    }

    /** For inputs with open dimensions. */
    private Optional<MemorySegment> dims(InferenceEngine.Tensor tensor, DeviceTensor bound) {
        return tensor.range().map(range -> {
            if (!range.contains(bound.type().shape())) {
                throw new IllegalArgumentException(engine + " was built for shapes " + range.least() + " to "
                    + range.most() + " of input '" + tensor.name() + "', not for " + bound.type().shape());
            }
            return Dims.of(bound.type().shape(), arena);
        });
    }

    /**
     * A tensor in C.
     *
     * @param address in the device's memory
     * @param dims for inputs with open dimensions: their {@link Dims}
     */
    private record Binding(String name, Shape shape, MemorySegment cName, MemorySegment address,
        Optional<MemorySegment> dims) {
    }

    /** Runs of the context on certain tensors. */
    private final class BoundLaunch implements Launch {
        private final Binding[] bindings;

        private BoundLaunch(Binding[] bindings) {
            this.bindings = bindings;
        }

        @Override
        public void enqueue(MemorySegment stream) {
            run(stream);
            settled = this;
        }

        /** NVIDIA's developer guide asks for one {@code enqueueV3} outside of a capture after each change of shapes. */
        @Override
        public void capture(MemorySegment stream) {
            if (settled == null || !hasShapesOf(settled)) {
                throw refused("it has not run with these shapes last, which it must before it can be captured",
                    context.tensorRt().mark());
            }
            run(stream);
        }

        private void run(MemorySegment stream) {
            long mark = context.tensorRt().mark();
            if (last != this) {
                last = null;
                boolean reshape = shaped == null || !hasShapesOf(shaped);
                shaped = reshape ? null : shaped;
                bind(reshape, mark);
                shaped = this;
                last = this;
            }
            if (!context.enqueue(stream)) {
                throw refused("enqueueV3 failed", mark);
            }
        }

        /** Whether open dimensions are the same in another launch of the context. */
        private boolean hasShapesOf(BoundLaunch other) {
            for (int index = 0; index < bindings.length; index++) { // no stream, which would be an allocation
                if (!bindings[index].shape().equals(other.bindings[index].shape())) {
                    return false;
                }
            }
            return true;
        }

        /**
         * Makes the context use these tensors from its next run on. Those that are queued keep theirs.
         *
         * @param reshape whether it does not know the shapes of inputs with open dimensions yet
         */
        private void bind(boolean reshape, long mark) {
            for (Binding binding : bindings) {
                if (reshape && binding.dims().isPresent()
                    && !context.setInputShape(binding.cName(), binding.dims().get())) {
                    throw refused("setInputShape for '" + binding.name() + "' failed", mark);
                }
                if (!context.setTensorAddress(binding.cName(), binding.address())) {
                    throw refused("setTensorAddress for '" + binding.name() + "' failed", mark);
                }
            }
        }
    }

    private DeviceException refused(String what, long mark) {
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
