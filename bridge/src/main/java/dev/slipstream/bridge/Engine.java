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

    /** Makes a context, which the caller closes. @throws DeviceOutOfMemoryException if there is no room for its work */
    ExecutionContext newContext();

    /**
     * Says that the engine runs seldom. What it gets again by itself when it runs the next time, a little slower, it
     * gives back now, and its work space after each run from now on. Does nothing where there is no such thing. It may
     * be called at any time.
     */
    default void rest() {
    }

    @Override
    void close();
}
