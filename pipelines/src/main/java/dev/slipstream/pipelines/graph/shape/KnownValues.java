package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.Graph;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What is known so far about the tensors of a graph while it is walked: types, constant values, or why not. */
final class KnownValues {
    private final Map<String, ValueType> types = new LinkedHashMap<>();
    private final Map<String, Optional<Constant>> constants = new HashMap<>();
    private final Map<String, TensorProto> weights = new LinkedHashMap<>();
    private final Map<String, String> reasons = new HashMap<>();

    KnownValues(Graph graph) {
        graph.weights().forEach(this::putWeight);
    }

    void putType(String tensor, ValueType type) {
        types.put(tensor, type);
    }

    void putUnknown(String tensor, String reason) {
        reasons.put(tensor, reason);
    }

    void putConstant(String tensor, Constant constant) {
        types.put(tensor, constant.type());
        constants.put(tensor, Optional.of(constant));
    }

    /** A weight, whose values are looked at only when somebody asks. */
    void putWeight(String tensor, TensorProto weight) {
        weights.put(tensor, weight);
        ConstantProtos.type(weight).ifPresentOrElse(type -> types.put(tensor, type), () ->
            reasons.put(tensor, "weight '" + tensor + "' has element type " + weight.getDataType()
                + ", which is not handled"));
    }

    /** @throws UnknownTypeException saying why it is not known */
    ValueType type(String tensor) {
        ValueType type = types.get(tensor);
        if (type == null) {
            throw new UnknownTypeException(reasons.getOrDefault(tensor, "tensor '" + tensor + "' is not in the graph"));
        }
        return type;
    }

    boolean isKnown(String tensor) {
        return types.containsKey(tensor);
    }

    Optional<Constant> constant(String tensor) {
        return constants.computeIfAbsent(tensor, name -> Optional.ofNullable(weights.get(name))
            .flatMap(ConstantProtos::read));
    }

    /** The weights of the graph, of its Constant nodes, and of the branches that were taken. */
    Map<String, TensorProto> weights() {
        return weights;
    }

    Map<String, ValueType> types() {
        return types;
    }

    Map<String, String> reasons() {
        return reasons;
    }
}
