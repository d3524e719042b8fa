package dev.slipstream.pipelines.graph;

/** A graph is damaged, or cannot be rewritten as asked. The message names the file or the nodes, and why. */
public class GraphException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public GraphException(String message) {
        super(message);
    }

    public GraphException(String message, Throwable cause) {
        super(message, cause);
    }
}
