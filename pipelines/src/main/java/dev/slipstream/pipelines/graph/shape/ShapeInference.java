package dev.slipstream.pipelines.graph.shape;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import java.util.Map;

/**
 * Works out the type of every tensor of a graph from the types of its inputs, following ONNX's own definition of each
 * operator (operator sets 11 to 20).
 */
public final class ShapeInference {
    private ShapeInference() {
    }

    /**
     * @param inputs type of each graph input, all dimensions known; see {@link InputTypes}
     * @throws dev.slipstream.pipelines.graph.GraphException if the inputs do not fit the graph, or the inputs of a node
     *     do not fit each other; an operator that is not known is no error until the type of what depends on it is
     *     asked for
     */
    public static TensorTypes infer(Graph graph, Map<String, TensorType> inputs) {
        return new TensorTypes(Propagation.through(graph, inputs).known());
    }
}
