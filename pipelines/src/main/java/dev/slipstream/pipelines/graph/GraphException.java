package dev.slipstream.pipelines.graph;

import dev.slipstream.bridge.SlipstreamException;

/** A graph is damaged, or cannot be rewritten as asked. The message names the file or the nodes, and why. */
public class GraphException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public GraphException(String message) {
        super(Fault.MODEL, false, message, null);
    }

    public GraphException(String message, Throwable cause) {
        super(Fault.MODEL, false, message, cause);
    }
}
