package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Graphs from and to the messages of ONNX files. */
public final class GraphProtos {
    /** Older sets differ in how Clip, Pad, Resize and others take their arguments. */
    private static final long OLDEST_OPSET = 11;
    /** The first version in which weights need not be listed as inputs too. */
    private static final long OLDEST_WRITTEN_IR = 4;

    private GraphProtos() {
    }

    /**
     * The graph of a model. {@code Constant} nodes become weights, so that there is one kind of constant; weights that
     * the model also lists as inputs are no inputs.
     *
     * @param folder what the model's external data is relative to, if it has any; its files are not looked at
     * @throws GraphException if the model has no graph, its operator set is older than 11, or its nodes do not fit
     */
    public static Graph read(ModelProto model, Optional<Path> folder) {
        GraphProto graph = model.getGraph();
        if (graph.getNodeCount() == 0 && graph.getOutputCount() == 0) {
            throw new GraphException("the model holds no graph");
        }
        if (graph.getSparseInitializerCount() > 0) {
            throw new GraphException("sparse weights are not supported, the first is '"
                + graph.getSparseInitializer(0).getValues().getName() + "'; store them as dense ones");
        }
        checkNodes(graph.getNodeList());
        Map<String, TensorProto> weights = new LinkedHashMap<>();
        for (TensorProto weight : graph.getInitializerList()) {
            TensorSizes.check(weight);
            if (weights.put(weight.getName(), weight) != null) {
                throw new GraphException("weight '" + weight.getName() + "' is there twice");
            }
        }
        List<ValueInfoProto> inputs = graph.getInputList().stream()
            .filter(input -> !weights.containsKey(input.getName())).toList();
        Map<String, TypeProto> types = new LinkedHashMap<>();
        graph.getValueInfoList().forEach(info -> types.put(info.getName(), info.getType()));
        checkNamesOnce("input", inputs);
        checkNamesOnce("output", graph.getOutputList());
        List<NodeProto> nodes = takeConstants(graph, weights);
        checkOutputsAreMade(graph, weights, nodes);
        Graph read = new Graph(header(model), folder, inputs, graph.getOutputList(), nodes, weights, types);
        if (read.opset() < OLDEST_OPSET) {
            throw new GraphException("operator set " + read.opset() + " is too old, " + OLDEST_OPSET
                + " is the oldest supported; export the model anew");
        }
        return read;
    }

    /** First of all, as nodes with nothing in them take two bytes of a file, and would take hundreds here. */
    private static void checkNodes(List<NodeProto> nodes) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).getOpType().isEmpty() || nodes.get(i).getOutputCount() == 0) {
                throw new GraphException("node " + i + ", '" + nodes.get(i).getName() + "', has no "
                    + (nodes.get(i).getOpType().isEmpty() ? "operator" : "output"));
            }
        }
    }

    private static void checkNamesOnce(String kind, List<ValueInfoProto> infos) {
        Set<String> names = new HashSet<>();
        for (ValueInfoProto info : infos) {
            if (!names.add(info.getName())) {
                throw new GraphException(kind + " '" + info.getName() + "' is there twice");
            }
        }
    }

    private static void checkOutputsAreMade(GraphProto graph, Map<String, TensorProto> weights,
        List<NodeProto> nodes) {
        Set<String> made = new HashSet<>(weights.keySet());
        graph.getInputList().forEach(input -> made.add(input.getName()));
        nodes.forEach(node -> made.addAll(Nodes.writes(node)));
        for (ValueInfoProto output : graph.getOutputList()) {
            if (!made.contains(output.getName())) {
                throw new GraphException("output '" + output.getName() + "' is no input, no weight and no node's "
                    + "output");
            }
        }
    }

    private static ModelProto header(ModelProto model) {
        return model.toBuilder()
            .setIrVersion(Math.max(model.getIrVersion(), OLDEST_WRITTEN_IR))
            .setGraph(GraphProto.newBuilder().setName(model.getGraph().getName()))
            .build();
    }

    /** Moves constants to the weights and gives back the other nodes. */
    private static List<NodeProto> takeConstants(GraphProto graph, Map<String, TensorProto> weights) {
        Set<String> outputs = graph.getOutputList().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
        List<NodeProto> others = new ArrayList<>(graph.getNodeCount());
        for (NodeProto node : graph.getNodeList()) {
            // A weight cannot be an output of a graph, so a constant that is one stays a node.
            Optional<TensorProto> constant = node.getOutputCount() == 1 && !outputs.contains(node.getOutput(0))
                ? constant(node) : Optional.empty();
            if (constant.isEmpty()) {
                others.add(node);
            } else if (weights.put(node.getOutput(0), constant.get()) != null) {
                throw new GraphException("tensor '" + node.getOutput(0) + "' is made twice: by node "
                    + Nodes.label(node) + " and by a weight");
            }
        }
        return others;
    }

    /** What a Constant node holds; empty for other nodes, and for sparse tensors and strings, which stay nodes. */
    private static Optional<TensorProto> constant(NodeProto node) {
        if (!node.getOpType().equals("Constant") || !Nodes.isStandard(node) || node.getAttributeCount() != 1) {
            return Optional.empty();
        }
        AttributeProto attribute = node.getAttribute(0);
        TensorProto.Builder tensor = TensorProto.newBuilder();
        switch (attribute.getName()) {
            case "value" -> tensor.mergeFrom(attribute.getT());
            case "value_float" -> tensor.setDataType(TensorProto.DataType.FLOAT_VALUE).addFloatData(attribute.getF());
            case "value_int" -> tensor.setDataType(TensorProto.DataType.INT64_VALUE).addInt64Data(attribute.getI());
            case "value_floats" -> tensor.setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(attribute.getFloatsCount()).addAllFloatData(attribute.getFloatsList());
            case "value_ints" -> tensor.setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(attribute.getIntsCount()).addAllInt64Data(attribute.getIntsList());
            default -> {
                return Optional.empty();
            }
        }
        TensorProto named = tensor.setName(node.getOutput(0)).build();
        TensorSizes.check(named);
        return Optional.of(named);
    }

    /** The graph as an ONNX message; weights are shared, not copied. */
    public static ModelProto write(Graph graph) {
        GraphProto.Builder body = graph.header().getGraph().toBuilder()
            .addAllInput(graph.inputs())
            .addAllOutput(graph.outputs())
            .addAllNode(graph.nodes())
            .addAllInitializer(graph.weights().values());
        // Inputs and outputs carry their types themselves; saying it twice is an error to some readers.
        Set<String> said = new HashSet<>();
        graph.inputs().forEach(input -> said.add(input.getName()));
        graph.outputs().forEach(output -> said.add(output.getName()));
        graph.types().forEach((tensor, type) -> {
            if (!said.contains(tensor) && graph.producer(tensor).isPresent()) {
                body.addValueInfo(ValueInfoProto.newBuilder().setName(tensor).setType(type));
            }
        });
        return graph.header().toBuilder().setGraph(body).build();
    }
}
