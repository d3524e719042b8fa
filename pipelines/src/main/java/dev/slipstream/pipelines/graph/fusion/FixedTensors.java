package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import java.nio.ByteOrder;
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

    /** Whether nothing but one node reads it. */
    boolean isInner(String tensor) {
        return graph.consumers(tensor).size() == 1 && !outputs.contains(tensor);
    }

    /** The value of an fp32 weight with one element. */
    OptionalDouble scalar(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        if (weight == null || weight.getDataType() != TensorProto.DataType.FLOAT.getNumber()
            || weight.getDimsList().stream().anyMatch(dim -> dim != 1)) {
            return OptionalDouble.empty();
        }
        if (weight.getFloatDataCount() == 1) {
            return OptionalDouble.of(weight.getFloatData(0));
        }
        ByteString raw = weight.getRawData();
        return raw.size() != Float.BYTES ? OptionalDouble.empty()
            : OptionalDouble.of(raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getFloat());
    }
}
