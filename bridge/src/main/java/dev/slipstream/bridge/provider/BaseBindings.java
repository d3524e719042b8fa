package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Tensor;
import java.util.Collection;
import java.util.List;

/** What all bindings have in common: they can be used while their context and all their buffers are open. */
public abstract class BaseBindings implements Bindings {
    private final BaseContext<?> context;
    private final List<BaseBuffer<?>> buffers;

    /** @param tensors checked already, so on buffers that the context's engine reaches */
    protected BaseBindings(BaseContext<?> context, Collection<Tensor> tensors) {
        this.context = context;
        this.buffers = tensors.stream().<BaseBuffer<?>>map(tensor -> (BaseBuffer<?>) tensor.slice().buffer())
            .distinct().toList();
    }

    @Override
    public final BaseContext<?> context() {
        return context;
    }

    /** @throws IllegalStateException if the context or a buffer is closed */
    final void requireOpen() {
        context.requireOpen();
        for (int i = 0; i < buffers.size(); i++) { // no iterator, which would be an allocation
            buffers.get(i).requireOpen();
        }
    }

    /** Gives back what it holds. Called once, by its context. */
    protected abstract void free();
}
