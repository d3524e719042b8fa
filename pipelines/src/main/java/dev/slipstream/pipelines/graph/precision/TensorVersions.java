package dev.slipstream.pipelines.graph.precision;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The nodes of a graph that is being written, and the names under which its float32 tensors can be had, wide and
 * narrow. A version is made when it is first asked for, and then shared. A tensor keeps its name in the type in which
 * its node makes it, and its declared type where the name is seen from outside.
 */
final class TensorVersions {
    private static final int WIDE = DataType.FLOAT_VALUE;

    private final Graph graph;
    private final ElementTypes declared;
    private final int narrowType;
    private final NarrowWeights rounding;
    private final CastNames names;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> weights;
    private final Map<String, TypeProto> types;
    private final Map<String, String> wide = new HashMap<>();
    private final Map<String, String> narrow = new HashMap<>();
    /** What tensors are casts of. */
    private final Map<String, String> sources = new HashMap<>();
    /** Narrow results of casts that were dropped, as what they cast is narrow now. */
    private final Map<String, String> aliases = new HashMap<>();
    /** Tensors that are made narrow. */
    private final Set<String> madeNarrow = new HashSet<>();
    /** Types of tensors whose names are seen from outside: outputs, and what inner graphs read. */
    private final Map<String, Integer> fixed = new HashMap<>();
    private final Set<String> wideWeights = new HashSet<>();

    /** @param narrowed float32 inputs and outputs of the graph that become narrow */
    TensorVersions(Graph graph, ElementTypes declared, int narrowType, NarrowWeights rounding, Set<String> narrowed) {
        this.graph = graph;
        this.declared = declared;
        this.narrowType = narrowType;
        this.rounding = rounding;
        this.names = new CastNames(graph);
        this.weights = new LinkedHashMap<>(graph.weights());
        this.types = new LinkedHashMap<>(graph.types());
        for (NodeProto node : graph.nodes()) {
            List<String> captured = Nodes.reads(node.toBuilder().clearInput().build());
            captured.forEach(tensor -> fixed.put(tensor, WIDE));
            wideWeights.addAll(captured);
        }
        graph.outputs().forEach(output -> fixed.put(output.getName(), WIDE));
        for (String tensor : narrowed) {
            if (graph.isInput(tensor)) {
                madeNarrow.add(tensor);
                narrow.put(tensor, tensor);
            } else {
                fixed.put(tensor, narrowType);
            }
            declare(tensor, tensor, narrowType);
        }
    }

    List<NodeProto> nodes() {
        return nodes;
    }

    Map<String, TensorProto> weights() {
        return weights;
    }

    Map<String, TypeProto> types() {
        return types;
    }

    /** Says that some node reads a weight as it is, so that it must stay under its name. */
    void keepWide(String weight) {
        wideWeights.add(weight);
    }

    void add(NodeProto node) {
        nodes.add(node);
    }

    /** The tensor in its declared type. */
    String asDeclared(String tensor) {
        if (declared.of(tensor) != WIDE) {
            return aliases.getOrDefault(tensor, tensor);
        }
        if (!wide.containsKey(tensor)) {
            wide.put(tensor, madeNarrow.contains(tensor)
                ? cast(narrow.get(tensor), tensor, names.tensor(tensor, WIDE), WIDE, names.everywhere(tensor, WIDE))
                : tensor);
        }
        return wide.get(tensor);
    }

    /** The float32 tensor in the narrow type. */
    String narrow(String tensor) {
        if (!narrow.containsKey(tensor)) {
            narrow.put(tensor, newNarrow(tensor));
        }
        return narrow.get(tensor);
    }

    private String newNarrow(String tensor) {
        TensorProto weight = graph.weights().get(tensor);
        if (weight != null && !NarrowWeights.isExternal(weight)) {
            return round(weight, wideWeights.contains(tensor) ? names.tensor(tensor, narrowType) : tensor);
        }
        String source = sources.getOrDefault(tensor, tensor);
        int type = declared.of(source);
        if (type == narrowType) {
            return asDeclared(source);
        }
        if (type == WIDE && !source.equals(tensor)) {
            return narrow(source);
        }
        TensorProto stored = graph.weights().get(source);
        if (stored != null && StoredFloats.isHalf(type) && !NarrowWeights.isExternal(stored)) {
            return round(stored, names.tensor(tensor, narrowType));
        }
        return cast(asDeclared(source), tensor, names.tensor(tensor, narrowType), narrowType,
            names.where(tensor, narrowType));
    }

    /** Adds a rounded weight. It fits: nodes for which it does not stay wide. */
    private String round(TensorProto weight, String name) {
        TensorProto rounded = rounding.of(graph, weight).orElseThrow();
        weights.put(name, name.equals(rounded.getName()) ? rounded : rounded.toBuilder().setName(name).build());
        return name;
    }

    /** The name under which a node makes a tensor in one type or the other. */
    String nameOfMade(String tensor, boolean makesNarrow) {
        int type = makesNarrow ? narrowType : WIDE;
        boolean seen = fixed.getOrDefault(tensor, type) != type;
        String name = seen ? names.tensor(tensor, type) : tensor;
        if (makesNarrow) {
            madeNarrow.add(tensor);
        }
        (makesNarrow ? narrow : wide).put(tensor, name);
        declare(name, tensor, type);
        return name;
    }

    /** Adds the version of a tensor under whose type it is seen from outside, after the node that makes it. */
    void finish(String tensor) {
        Integer type = fixed.get(tensor);
        if (type != null && declared.of(tensor) == WIDE) {
            Map<String, String> seen = type == WIDE ? wide : narrow;
            String made = (type == WIDE ? narrow : wide).get(tensor);
            if (!seen.containsKey(tensor)) {
                seen.put(tensor, cast(made, tensor, tensor, type, names.where(tensor, type)));
            }
        }
    }

    /** Adds a Cast that the graph has, unless what it reads is of its type by now. */
    void addCast(NodeProto node) {
        String input = node.getInput(0);
        String output = node.getOutput(0);
        int type = declared.of(output);
        boolean readsNarrow = type != WIDE && madeNarrow.contains(input);
        String read = readsNarrow ? narrow.get(input) : asDeclared(input);
        if (readsNarrow && type == narrowType && !fixed.containsKey(output)) {
            aliases.put(output, read);
            return;
        }
        if (declared.of(input) == WIDE && type == narrowType) {
            narrow.putIfAbsent(input, output);
        }
        String name = output;
        if (type == WIDE) {
            sources.put(output, input);
            name = nameOfMade(output, false);
        }
        NodeProto changed = node.toBuilder().setInput(0, read).setOutput(0, name).build();
        nodes.add(changed.equals(node) ? node : changed);
        finish(output);
    }

    private String cast(String from, String like, String to, int type, String nodeName) {
        nodes.add(CastNames.cast(nodeName, from, to, type));
        declare(to, like, type);
        return to;
    }

    private void declare(String name, String like, int type) {
        TypeProto known = graph.types().get(like);
        if (known != null && (types.get(name) == null
            || types.get(name).getTensorType().getElemType() != type)) {
            TypeProto.Builder changed = known.toBuilder();
            changed.getTensorTypeBuilder().setElemType(type);
            types.put(name, changed.build());
        }
    }

    /**
     * Names of the nodes and tensors that casts add. A node's name says in which module it is, and so where cuts put
     * it.
     */
    private static final class CastNames {
        private final Graph graph;
        private final Set<String> taken = new HashSet<>();

        CastNames(Graph graph) {
            this.graph = graph;
            taken.addAll(graph.weights().keySet());
            graph.inputs().forEach(input -> taken.add(input.getName()));
            graph.nodes().forEach(node -> taken.addAll(Nodes.writes(node)));
        }

        /** A new name for a version of a tensor. */
        String tensor(String tensor, int type) {
            String name = tensor + "_" + suffix(type);
            while (!taken.add(name)) {
                name += "_";
            }
            return name;
        }

        /** The name of a Cast that belongs where the tensor is made: what leaves the module is the cast value. */
        String where(String tensor, int type) {
            return graph.producer(tensor).map(CastNames::module)
                .map(module -> module + "Cast_" + tensor.substring(tensor.lastIndexOf('/') + 1) + "_" + suffix(type))
                .orElseGet(() -> everywhere(tensor, type));
        }

        /** The name of a Cast in no module: it is repeated where its result is read, and what it reads goes there. */
        String everywhere(String tensor, int type) {
            return "/Cast_" + tensor.replace('/', '.') + "_" + suffix(type);
        }

        /** The node's name up to its own part, with the last slash: its module. */
        private static String module(NodeProto node) {
            String name = node.getName().indexOf('/') >= 0 ? node.getName() : node.getOutput(0);
            return name.indexOf('/') < 0 ? "/" : name.substring(0, name.lastIndexOf('/') + 1);
        }

        private static String suffix(int type) {
            return type == DataType.FLOAT_VALUE ? "float32" : DataType.forNumber(type).name().toLowerCase(Locale.ROOT);
        }

        static NodeProto cast(String name, String from, String to, int type) {
            return NodeProto.newBuilder().setName(name).setOpType("Cast").addInput(from).addOutput(to)
                .addAttribute(AttributeProto.newBuilder().setName("to").setType(AttributeProto.AttributeType.INT)
                    .setI(type)).build();
        }
    }
}
