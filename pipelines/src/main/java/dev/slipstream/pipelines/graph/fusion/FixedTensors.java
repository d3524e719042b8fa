package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.shape.SmallWeights;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/** What is known of the tensors of a graph with fixed shapes. */
final class FixedTensors {
    private final Graph graph;
    private final Map<String, TensorType> types;
    private final Set<String> outputs;

    FixedTensors(Graph graph) {
        this.graph = graph;
        this.types = ValueInfos.types(graph);
        this.outputs = graph.outputs().stream().map(ValueInfoProto::getName)
            .collect(Collectors.toCollection(HashSet::new));
    }

    /** Dimensions of an fp32 tensor that a node makes or the graph takes; empty for all others. */
    Optional<List<Long>> dims(String tensor) {
        return Optional.ofNullable(types.get(tensor)).filter(type -> type.type() == DataType.FLOAT32)
            .map(type -> Arrays.stream(type.shape().toArray()).boxed().toList());
    }

    long opset() {
        return graph.opset();
    }

    Optional<NodeProto> producer(String tensor) {
        return graph.producer(tensor);
    }

    /** The node that reads a tensor that nothing else needs. */
    Optional<NodeProto> onlyReader(String tensor) {
        List<NodeProto> readers = graph.consumers(tensor);
        return readers.size() == 1 && !outputs.contains(tensor) ? Optional.of(readers.getFirst()) : Optional.empty();
    }

    /** The value of a weight that is one real number. */
    OptionalDouble scalar(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        return weight == null ? OptionalDouble.empty() : SmallWeights.scalar(weight);
    }
}
