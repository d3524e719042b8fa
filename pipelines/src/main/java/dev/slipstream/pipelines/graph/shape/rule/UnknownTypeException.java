package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.GraphException;

/** The type of a tensor cannot be known; no error until it is needed. */
public final class UnknownTypeException extends GraphException {
    private static final long serialVersionUID = 1;

    public UnknownTypeException(String message) {
        super(message);
    }
}
