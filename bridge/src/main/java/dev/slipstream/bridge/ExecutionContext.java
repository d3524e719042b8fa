package dev.slipstream.bridge;

import java.util.Map;

/**
 * One run's state of an engine. Its bindings may be queued on one stream only, as two runs of one context must never
 * overlap; for more, make more contexts. Any thread may bind. Its owner closes it before its engine, after all runs.
 */
public interface ExecutionContext extends AutoCloseable {
    Engine engine();

    /**
     * Ties tensors to the engine's inputs and outputs, for {@link Stream#run}. The engine reads and writes them in
     * place. The bindings belong to this context and are freed with it.
     *
     * @param tensors one for each input and each output, on the engine's device; inputs may also lie on another device
     *     where {@link Device.Traits#readsInPlace} says so. Each begins at a multiple of its element size, and no
     *     output overlaps another tensor
     * @throws IllegalArgumentException if one is missing, unknown, of a type or shape that the engine cannot take, or
     *     lies where it must not; the message names it
     */
    Bindings bind(Map<String, Tensor> tensors);

    @Override
    void close();

    /** Tensors tied to the inputs and outputs of an engine: everything that one {@link Stream#run} needs. */
    interface Bindings {
        ExecutionContext context();
    }
}
