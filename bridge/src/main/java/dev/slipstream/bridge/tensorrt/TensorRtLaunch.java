package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.cuda.Launch;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A run on certain tensors. */
final class TensorRtLaunch implements Launch {
    /**
     * A tensor in C.
     *
     * @param address in the device's memory
     * @param dims for inputs with open dimensions: their {@link Dims}
     */
    record Binding(String name, MemorySegment cName, MemorySegment address, Optional<MemorySegment> dims) {
    }

    private final TensorRtContext context;
    private final Binding[] bindings;

    TensorRtLaunch(TensorRtContext context, Binding[] bindings) {
        this.context = context;
        this.bindings = bindings;
    }

    @Override
    public void enqueue(MemorySegment stream) {
        context.enqueue(this, stream);
    }

    /** Makes the context use these tensors from its next run on. Those that are queued keep theirs. */
    void bind(InferenceContext target, long mark) {
        for (Binding binding : bindings) {
            if (binding.dims().isPresent() && !target.setInputShape(binding.cName(), binding.dims().get())) {
                throw context.refused("setInputShape for '" + binding.name() + "' failed", mark);
            }
            if (!target.setTensorAddress(binding.cName(), binding.address())) {
                throw context.refused("setTensorAddress for '" + binding.name() + "' failed", mark);
            }
        }
    }
}
