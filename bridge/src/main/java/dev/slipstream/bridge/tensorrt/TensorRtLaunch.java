package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Shape;
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
    record Binding(String name, Shape shape, MemorySegment cName, MemorySegment address,
        Optional<MemorySegment> dims) {
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

    @Override
    public void record(MemorySegment stream) {
        context.record(this, stream);
    }

    /** Whether open dimensions are the same in another launch of the context. */
    boolean hasShapesOf(TensorRtLaunch other) {
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
    void bind(InferenceContext target, boolean reshape, long mark) {
        for (Binding binding : bindings) {
            if (reshape && binding.dims().isPresent() && !target.setInputShape(binding.cName(), binding.dims().get())) {
                throw context.refused("setInputShape for '" + binding.name() + "' failed", mark);
            }
            if (!target.setTensorAddress(binding.cName(), binding.address())) {
                throw context.refused("setTensorAddress for '" + binding.name() + "' failed", mark);
            }
        }
    }
}
