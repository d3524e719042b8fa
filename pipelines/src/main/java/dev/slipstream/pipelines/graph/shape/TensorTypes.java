package dev.slipstream.pipelines.graph.shape;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Types of the tensors of one graph for one choice of inputs. Immutable. A tensor whose type cannot be known is no
 * error until its type is asked for.
 */
public final class TensorTypes {
    private final Map<String, TensorType> types = new LinkedHashMap<>();
    private final Map<String, String> reasons = new LinkedHashMap<>();

    /**
     * Works out the type of every tensor of a graph from the types of its inputs, following ONNX's own definition of
     * each operator (operator sets 11 to 20).
     *
     * @param inputs type of each graph input, all dimensions known; see {@link InputTypes}
     * @throws GraphException if the inputs do not fit the graph, or the inputs of a node do not fit each other; an
     *     operator that is not known is no error until the type of what depends on it is asked for
     */
    public static TensorTypes infer(Graph graph, Map<String, TensorType> inputs) {
        return new TensorTypes(Propagation.through(graph, inputs).known());
    }

    TensorTypes(KnownValues known) {
        reasons.putAll(known.reasons());
        known.types().forEach((tensor, type) -> {
            Optional<TensorType> onDevices = type.onDevices();
            onDevices.ifPresentOrElse(found -> types.put(tensor, found), () ->
                reasons.put(tensor, "tensor '" + tensor + "' is " + type + ", a type that no device takes"));
        });
    }

    /**
     * @throws GraphException if the type cannot be known; the message names the node and the operator that hide it
     * @throws NoSuchElementException if the graph has no such tensor
     */
    public TensorType type(String tensor) {
        TensorType type = types.get(tensor);
        if (type == null && reasons.containsKey(tensor)) {
            throw new GraphException("the type of tensor '" + tensor + "' is not known, because of "
                + reasons.get(tensor));
        }
        if (type == null) {
            throw new NoSuchElementException("the graph has no tensor '" + tensor + "'");
        }
        return type;
    }

    public boolean isKnown(String tensor) {
        return types.containsKey(tensor);
    }

    /** All types that are known, of inputs, weights and results of nodes, by tensor name. */
    public Map<String, TensorType> known() {
        return Collections.unmodifiableMap(types);
    }
}
