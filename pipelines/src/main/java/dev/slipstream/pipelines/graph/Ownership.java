package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The component that each node belongs to. A node of no component is replicated into every segment that needs it:
 * nodes that do not change from step to step, and glue such as the concatenation of a skip.
 */
final class Ownership {
    private final Map<NodeProto, Integer> owners = new IdentityHashMap<>();

    OptionalInt owner(NodeProto node) {
        Integer owner = owners.get(node);
        return owner == null ? OptionalInt.empty() : OptionalInt.of(owner);
    }

    boolean isEmpty(int component) {
        return !owners.containsValue(component);
    }

    void give(NodeProto node, int component) {
        owners.put(node, component);
    }
}
