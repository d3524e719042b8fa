package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.TensorType;
import java.util.Map;

/** An engine on a device: weights, and no state of a run. Any thread may use it; it outlives its contexts. */
public interface CompiledEngine extends AutoCloseable {
    /** In the graph's order. */
    Map<String, TensorType> inputs();

    /** In the graph's order. */
    Map<String, TensorType> outputs();

    /** Bytes of device memory that each context needs beside weights and tensors. */
    long contextBytes();

    EngineContext newContext();

    @Override
    void close();
}
