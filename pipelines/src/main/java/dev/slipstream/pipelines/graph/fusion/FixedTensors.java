package dev.slipstream.pipelines.graph.fusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.nio.ByteBuffer;
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

    /** Dimensions of an fp32 or fp16 tensor that a node makes or the graph takes; empty for all others. */
    Optional<List<Long>> dims(String tensor) {
        return Optional.ofNullable(types.get(tensor)).filter(type -> type.type() == DataType.FLOAT32 || isHalf(tensor))
            .map(type -> Arrays.stream(type.shape().toArray()).boxed().toList());
    }

    /** Dimensions of any tensor, weights included; empty where they are not known. */
    Optional<List<Long>> anyDims(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        return weight != null ? Optional.of(weight.getDimsList()) : Optional.ofNullable(types.get(tensor))
            .map(type -> Arrays.stream(type.shape().toArray()).boxed().toList());
    }

    boolean isHalf(String tensor) {
        return types.containsKey(tensor) && types.get(tensor).type() == DataType.FLOAT16;
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

    /** Whether a tensor is a weight of ones, of the graph itself. */
    boolean isOne(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        if (weight == null || weight.getDataType() != TensorProto.DataType.FLOAT_VALUE) {
            return false;
        }
        ByteBuffer raw = weight.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        boolean ones = raw.hasRemaining() || weight.getFloatDataCount() > 0;
        while (ones && raw.remaining() >= Float.BYTES) {
            ones = raw.getFloat() == 1;
        }
        return ones && weight.getFloatDataList().stream().allMatch(value -> value == 1);
    }

    /** Whether a tensor is a small weight with this real number everywhere. */
    boolean isAll(String tensor, double value) {
        TensorProto weight = graph.weights().get(tensor);
        return weight != null && ConstantProtos.read(weight).filter(constant -> constant.type().element().isReal())
            .filter(constant -> Arrays.stream(constant.reals()).allMatch(it -> it == value)).isPresent();
    }

    /** The value of a weight that is one real number. */
    OptionalDouble scalar(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        return weight == null ? OptionalDouble.empty() : ConstantProtos.real(weight);
    }
}
