package dev.slipstream.pipelines.graph.build;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Writes one ONNX graph (operator set 17, float32) over the weights of a checkpoint.
 *
 * <pre>{@code
 * GraphBuilder builder = new GraphBuilder("the decoder", folder, weights);
 * Value x = builder.input("latent_sample", DataType.FLOAT32, Dim.named("batch_size"), Dim.of(4), height, width);
 * Scope conv = builder.root().child("conv_in");
 * Value y = conv.conv(x, conv.weight("weight", 512, 4, 3, 3), conv.weight("bias", 512), 1, 1);
 * builder.output("sample", y);
 * Graph graph = builder.build().graph();
 * }</pre>
 *
 * Nodes are named as {@code torch.onnx.export} names them, {@code /conv_in/Conv}, which is what cuts go by. One thread.
 */
public final class GraphBuilder {
    private static final long IR_VERSION = 8;
    private static final long OPSET = 17;

    private final Path folder;
    private final Weights weights;
    private final Constants constants = new Constants();
    private final List<ValueInfoProto> inputs = new ArrayList<>();
    private final Map<String, Value> outputs = new LinkedHashMap<>();
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, Value> made = new LinkedHashMap<>();
    private final Map<String, Integer> uses = new HashMap<>();
    private final Map<String, Value> cast = new HashMap<>();

    /**
     * @param source what errors call the checkpoint, for example its folder
     * @param folder what the graph's external data will be relative to; all weights' files are inside it
     * @param weights the checkpoint's tensors by name
     */
    public GraphBuilder(String source, Path folder, Map<String, StoredWeight> weights) {
        this.folder = folder;
        this.weights = new Weights(source, folder, weights);
    }

    public Value input(String name, DataType type, Dim... dims) {
        Value input = new Value(name, type, List.of(dims));
        inputs.add(input.info(name));
        return input;
    }

    /**
     * An input whose shape the graph does not declare, so that callers may give a scalar or a list.
     *
     * @param dims what the nodes that read it are checked with; they must cope with the others
     */
    public Value inputOfAnyShape(String name, DataType type, Dim... dims) {
        ValueInfoProto.Builder info = ValueInfoProto.newBuilder().setName(name);
        info.getTypeBuilder().getTensorTypeBuilder().setElemType(ElementType.of(type).code());
        inputs.add(info.build());
        return new Value(name, type, List.of(dims));
    }

    /**
     * An input that the graph declares more openly than the nodes that read it are checked with, as for what is
     * broadcast.
     *
     * @param declared as callers see it
     * @param dims what the nodes are checked with; they must cope with the others
     */
    public Value inputDeclared(String name, DataType type, List<Dim> declared, List<Dim> dims) {
        inputs.add(new Value(name, type, declared).info(name));
        return new Value(name, type, dims);
    }

    /** Gives a value that a node made to the graph's callers. */
    public void output(String name, Value value) {
        boolean taken = outputs.containsKey(name) || outputs.values().stream().anyMatch(value::equals);
        if (taken || !made.containsKey(value.name())) {
            throw new IllegalArgumentException("output " + name + " must be a value of its own that a node made, not "
                + value.name());
        }
        outputs.put(name, value);
    }

    /** The model itself; its modules are its children. */
    public Scope root() {
        return new Scope(this, "");
    }

    /** All weights that were asked for so far, with their shapes, whether the checkpoint has them or not. */
    public Map<String, Shape> wanted() {
        return Collections.unmodifiableMap(weights.wanted());
    }

    /**
     * @throws dev.slipstream.pipelines.graph.GraphException if weights were asked for that the checkpoint lacks or has
     *     in another shape; all of them are in the message, or as many as one can read
     */
    public BuiltGraph build() {
        weights.check();
        Map<String, String> renamed = new HashMap<>();
        outputs.forEach((name, value) -> renamed.put(value.name(), name));
        GraphProto.Builder graph = GraphProto.newBuilder().setName("slipstream").addAllInput(inputs)
            .addAllInitializer(weights.references()).addAllInitializer(constants.protos());
        nodes.forEach(node -> graph.addNode(renamed(node, renamed)));
        outputs.forEach((name, value) -> graph.addOutput(value.info(name)));
        made.forEach((name, value) -> {
            if (!renamed.containsKey(name)) {
                graph.addValueInfo(value.info(name));
            }
        });
        ModelProto model = ModelProto.newBuilder().setIrVersion(IR_VERSION).setProducerName("slipstream")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET)).setGraph(graph).build();
        return new BuiltGraph(GraphProtos.read(model, Optional.of(folder.toAbsolutePath())), weights.ignored());
    }

    private static NodeProto renamed(NodeProto node, Map<String, String> names) {
        if (Stream.concat(node.getInputList().stream(), node.getOutputList().stream()).noneMatch(names::containsKey)) {
            return node;
        }
        return node.toBuilder().clearInput().clearOutput()
            .addAllInput(node.getInputList().stream().map(name -> names.getOrDefault(name, name)).toList())
            .addAllOutput(node.getOutputList().stream().map(name -> names.getOrDefault(name, name)).toList()).build();
    }

    Constants constants() {
        return constants;
    }

    Weights weights() {
        return weights;
    }

    /** A weight as float32; one that is stored otherwise is cast, once, which engines do when they are built. */
    Value float32(Scope scope, String weight, DataType stored, List<Dim> dims) {
        Value raw = new Value(weight, stored, dims);
        return stored == DataType.FLOAT32 ? raw
            : cast.computeIfAbsent(weight, name -> scope.cast(raw, DataType.FLOAT32));
    }

    /** The name of the next node of an operator at a path: {@code /a/MatMul}, {@code /a/MatMul_1}, ... */
    String nodeName(String path, String operator) {
        String name = path + "/" + operator;
        int count = uses.merge(name, 1, Integer::sum) - 1;
        return count == 0 ? name : name + "_" + count;
    }

    void add(NodeProto node, List<Value> results) {
        nodes.add(node);
        results.forEach(result -> made.put(result.name(), result));
    }
}
