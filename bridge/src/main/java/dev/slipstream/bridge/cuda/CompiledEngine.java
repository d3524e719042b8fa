package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.TensorType;
import java.util.Map;

/** What an {@link EngineCompiler} made. Any thread may use it; it is closed after its contexts. */
public interface CompiledEngine extends AutoCloseable {
    /** Inputs by name, in the graph's order. */
    Map<String, TensorType> inputs();

    /** Outputs by name, in the graph's order. */
    Map<String, TensorType> outputs();

    /** Bytes of device memory that each context needs beside weights and tensors. */
    long contextBytes();

    /** Bytes of which the address of each tensor must be a multiple. */
    long alignment();

    EngineContext newContext();

    @Override
    void close();
}
