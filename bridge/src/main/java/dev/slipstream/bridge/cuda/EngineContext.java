package dev.slipstream.bridge.cuda;

import java.util.Map;

/** One run's state of an engine; one thread at a time. */
public interface EngineContext extends AutoCloseable {
    /** Prepares a run on these tensors, already checked against the engine's types. Freed with the context. */
    Launch prepare(Map<String, DeviceTensor> tensors);

    @Override
    void close();
}
