package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An ONNX graph: nodes in an order in which they can run, named tensors between them, weights. Immutable; rewriting
 * makes a new graph that shares the protobuf messages, so a rewrite costs no copy of weights.
 *
 * <p>Weights kept in other files ("external data") stay references: {@link #folder} is what they are relative to. Every
 * tensor has at most one producer; a tensor is a graph input, a weight, or the output of one node.
 */
public final class Graph {
    private final ModelProto header;
    private final Optional<Path> folder;
    private final List<ValueInfoProto> inputs;
    private final List<ValueInfoProto> outputs;
    private final List<NodeProto> nodes;
    private final Map<String, TensorProto> weights;
    private final Map<String, TypeProto> types;
    private final Map<String, NodeProto> producers;
    private final Map<String, List<NodeProto>> consumers;

    /**
     * @param header the model without its graph: IR version, operator sets, metadata
     * @param folder what external data is relative to, if there is any
     * @param nodes in any order; they are sorted
     * @param types what is known of the tensors that nodes make
     * @throws GraphException if a tensor has two producers, is read but made nowhere, or nodes form a circle
     */
    Graph(ModelProto header, Optional<Path> folder, List<ValueInfoProto> inputs, List<ValueInfoProto> outputs,
        List<NodeProto> nodes, Map<String, TensorProto> weights, Map<String, TypeProto> types) {
        this.header = header;
        this.folder = folder;
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
        this.types = Collections.unmodifiableMap(new LinkedHashMap<>(types));
        this.producers = TopologicalOrder.producers(nodes, inputs, weights.keySet());
        this.nodes = TopologicalOrder.sort(nodes, producers);
        this.consumers = new LinkedHashMap<>();
        for (NodeProto node : this.nodes) {
            for (String input : Nodes.reads(node)) {
                List<NodeProto> readers = consumers.computeIfAbsent(input, name -> new ArrayList<>(2));
                if (readers.isEmpty() || readers.getLast() != node) {
                    readers.add(node);
                }
            }
        }
    }

    /** The same nodes in the same order, so nothing has to be sorted or checked again. */
    private Graph(Graph same, ModelProto header, Map<String, TypeProto> types) {
        this.header = header;
        this.folder = same.folder;
        this.inputs = same.inputs;
        this.outputs = same.outputs;
        this.nodes = same.nodes;
        this.weights = same.weights;
        this.types = Collections.unmodifiableMap(new LinkedHashMap<>(types));
        this.producers = same.producers;
        this.consumers = same.consumers;
    }

    public Graph withWeights(Map<String, TensorProto> changed) {
        return new Graph(header, folder, inputs, outputs, nodes, changed, types);
    }

    /** @param place what external data is relative to now */
    public Graph withWeights(Path place, Map<String, TensorProto> changed) {
        return new Graph(header, Optional.of(place), inputs, outputs, nodes, changed, types);
    }

    public Graph withInputs(List<ValueInfoProto> changed) {
        return new Graph(header, folder, changed, outputs, nodes, weights, types);
    }

    /** The same graph with other knowledge of the tensors that nodes make, as shape inference gives it. */
    public Graph withTypes(Map<String, TypeProto> changed) {
        return new Graph(this, header, changed);
    }

    /** The same graph, which may have nodes of a further operator set. */
    public Graph withOperatorSet(String domain, long version) {
        ModelProto.Builder other = header.toBuilder();
        if (header.getOpsetImportList().stream().noneMatch(set -> set.getDomain().equals(domain))) {
            other.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version));
        }
        return new Graph(this, other.build(), types);
    }

    public Graph with(List<ValueInfoProto> newInputs, List<ValueInfoProto> newOutputs, List<NodeProto> newNodes,
        Map<String, TensorProto> newWeights) {
        return new Graph(header, folder, newInputs, newOutputs, newNodes, newWeights, types);
    }

    ModelProto header() {
        return header;
    }

    /** What external data is relative to. */
    public Optional<Path> folder() {
        return folder;
    }

    /** Inputs that a caller gives; weights are not among them. */
    public List<ValueInfoProto> inputs() {
        return inputs;
    }

    public List<ValueInfoProto> outputs() {
        return outputs;
    }

    /** Nodes, each after the nodes that it reads from. */
    public List<NodeProto> nodes() {
        return nodes;
    }

    /** Constant tensors by name. */
    public Map<String, TensorProto> weights() {
        return weights;
    }

    /**
     * What the file or shape inference says of tensors; often incomplete. A rewrite keeps it, so it must not give a
     * name a new meaning.
     */
    public Map<String, TypeProto> types() {
        return types;
    }

    /** Bytes of all weights, wherever they are stored, in the type in which they are stored. */
    public long weightBytes() {
        return weights.values().stream().mapToLong(weight -> Math.max(0, TensorSizes.bytes(weight))).sum();
    }

    /** The same if all halves among them were float32. */
    public long wideWeightBytes() {
        return weightBytes() + weights.values().stream().filter(weight -> weight.getDataType() == DataType.FLOAT16_VALUE
            || weight.getDataType() == DataType.BFLOAT16_VALUE).mapToLong(TensorSizes::bytes).sum();
    }

    /** The files in which external weights lie, in the graph's folder; they may be links. */
    public Set<Path> weightFiles() {
        return Set.copyOf(ExternalData.files(this).values());
    }

    /** The node that makes a tensor; empty for graph inputs and weights. */
    public Optional<NodeProto> producer(String tensor) {
        return Optional.ofNullable(producers.get(tensor));
    }

    /** The nodes that read a tensor, each once. */
    public List<NodeProto> consumers(String tensor) {
        return Collections.unmodifiableList(consumers.getOrDefault(tensor, List.of()));
    }

    public boolean isInput(String tensor) {
        return inputs.stream().anyMatch(input -> input.getName().equals(tensor));
    }

    /** Version of the standard operator set. */
    public long opset() {
        return header.getOpsetImportList().stream().filter(set -> set.getDomain().isEmpty()
            || set.getDomain().equals("ai.onnx")).mapToLong(set -> set.getVersion()).max().orElse(0);
    }
}
