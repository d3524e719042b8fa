package dev.slipstream.bridge;

/** Tensors tied to the inputs and outputs of an engine: everything that one {@link Stream#run} needs. */
public interface Bindings {
    ExecutionContext context();
}
