package dev.slipstream.pipelines.graph.shape.rule;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What is known so far about the tensors of a graph while it is walked: types, constant values, or why not. */
public final class KnownValues {
    /**
     * Elements of all that is computed while a graph is folded: many times what large models need (a causal mask for
     * each layer), and a bound on what a few bytes in a file can ask for.
     */
    private static final long MOST_COMPUTED = 1 << 21;

    private final Map<String, ValueType> types = new LinkedHashMap<>();
    private final Map<String, Optional<Constant>> constants = new HashMap<>();
    private final Map<String, TensorProto> weights = new LinkedHashMap<>();
    private final Map<String, String> reasons = new HashMap<>();
    private long computed;

    public KnownValues(Graph graph) {
        graph.weights().forEach(this::putWeight);
    }

    public void putType(String tensor, ValueType type) {
        types.put(tensor, type);
    }

    public void putUnknown(String tensor, String reason) {
        reasons.put(tensor, reason);
    }

    /** Whether one more constant of this type may be computed; beyond the limit the engine does the work. */
    public boolean hasRoom(ValueType type) {
        return computed + cost(type) <= MOST_COMPUTED;
    }

    /** What is larger than a constant may be is kept only if it is one value everywhere. */
    private static long cost(ValueType type) {
        return type.elements() > Constant.MOST_ELEMENTS ? 1 : type.elements();
    }

    public void putConstant(String tensor, Constant constant) {
        computed += cost(constant.type());
        types.put(tensor, constant.type());
        constants.put(tensor, Optional.of(constant));
    }

    /** A weight, whose values are looked at only when they are asked for. */
    public void putWeight(String tensor, TensorProto weight) {
        weights.put(tensor, weight);
        ConstantProtos.type(weight).ifPresentOrElse(type -> types.put(tensor, type), () ->
            reasons.put(tensor, "weight '" + tensor + "' has element type " + weight.getDataType()
                + ", which is not handled"));
    }

    /** @throws UnknownTypeException saying why it is not known */
    public ValueType type(String tensor) {
        ValueType type = types.get(tensor);
        if (type == null) {
            throw new UnknownTypeException(reasons.getOrDefault(tensor, "tensor '" + tensor + "' is not in the graph"));
        }
        return type;
    }

    public boolean isKnown(String tensor) {
        return types.containsKey(tensor);
    }

    public Optional<Constant> constant(String tensor) {
        return constants.computeIfAbsent(tensor, name -> Optional.ofNullable(weights.get(name))
            .flatMap(ConstantProtos::read));
    }

    /** The weights of the graph, of its Constant nodes, and of the branches that were taken. */
    public Map<String, TensorProto> weights() {
        return weights;
    }

    public Map<String, ValueType> types() {
        return types;
    }

    public Map<String, String> reasons() {
        return reasons;
    }
}
