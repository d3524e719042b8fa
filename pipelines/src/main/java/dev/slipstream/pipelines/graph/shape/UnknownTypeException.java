package dev.slipstream.pipelines.graph.shape;

import dev.slipstream.pipelines.graph.GraphException;

/** The type of a tensor cannot be known; no error until somebody needs it. */
final class UnknownTypeException extends GraphException {
    private static final long serialVersionUID = 1;

    UnknownTypeException(String message) {
        super(message);
    }
}
