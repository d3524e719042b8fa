package dev.slipstream.pipelines.cost;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.graph.Graph;

/** How long a device takes for things, measured or estimated. Immutable; the same question has the same answer. */
public interface DeviceTimes {
    /** What the device is called. */
    String device();

    /** Where the times are from. */
    Basis basis();

    /**
     * Nanoseconds of one run of an engine.
     *
     * @param graph with types, as the engine is built of
     */
    double runNanos(Graph graph);

    /** Nanoseconds of a small work between engines, such as a combination, that moves so many bytes. */
    double moveNanos(long bytes);

    /** Bytes that the device has for weights, buffers and work space. */
    long memoryBytes();
}
