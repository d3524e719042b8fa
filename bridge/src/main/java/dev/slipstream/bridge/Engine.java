package dev.slipstream.bridge;

import java.util.Map;

/**
 * A compiled segment on one device, made by {@link Device#build}. It holds the weights and no state of a run, so many
 * {@link ExecutionContext}s may share it. Any thread may use it; it outlives its contexts.
 */
public interface Engine extends AutoCloseable {
    String name();

    Device device();

    /** Inputs by name, in the graph's order; dimensions may be {@link Shape#UNKNOWN}. */
    Map<String, TensorType> inputs();

    /** Outputs by name, in the graph's order; dimensions may be {@link Shape#UNKNOWN}. */
    Map<String, TensorType> outputs();

    ExecutionContext newContext();

    @Override
    void close();
}
