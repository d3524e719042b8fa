package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.DoubleSummaryStatistics;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Lets a denoiser take fractional timesteps. Exporters trace it with a whole one and so declare the input int64, though
 * what becomes of it, after some moving and casts between integers, is a cast to a floating-point type; a noise
 * scheduler whose timesteps lie between (linspace spacing, Karras sigmas) would be cut off. Here the input becomes
 * float32, and so does each node on the way to such a cast. Whatever needs the type that was declared, such as a table
 * of embeddings, is given what it was given before, by twins of those nodes. Whole timesteps give the same bits.
 */
public final class FractionalTimesteps {
    private final Graph graph;
    private final TimestepFlow flow;
    /** Of each tensor that carries the timestep in float32, the one that carries it in the type that was declared. */
    private final Map<String, String> declared = new HashMap<>();
    private final List<NodeProto> nodes = new ArrayList<>();
    /** Those that are of no use if what they make is not read. */
    private final Set<NodeProto> ours = new HashSet<>();
    private boolean isCastToReal;

    private FractionalTimesteps(Graph graph, int type) {
        this.graph = graph;
        this.flow = TimestepFlow.of(graph, type);
    }

    /** The graph with a float32 timestep; the same graph if that is what it has, or if it needs a whole one. */
    public static Graph allow(Graph graph, String timestep) {
        ValueInfoProto input = input(graph, timestep);
        int type = input.getType().getTensorType().getElemType();
        FractionalTimesteps rewrite = new FractionalTimesteps(graph, type);
        if (type == DataType.FLOAT_VALUE || !rewrite.canChange(timestep)) {
            return graph;
        }
        rewrite.declared.put(timestep, timestep + ".declared");
        rewrite.add(cast(timestep, timestep, timestep + ".declared", type));
        graph.nodes().forEach(rewrite::take);
        return rewrite.isCastToReal || type == DataType.DOUBLE_VALUE ? rewrite.result(input) : graph;
    }

    /**
     * What becomes of timesteps between whole ones, in one sentence, where the graph computes with integers.
     *
     * @param denoiser what the sentence calls the graph
     * @param timesteps those that it will be given; asked for only where the graph needs whole ones
     */
    public static Optional<String> complaint(String denoiser, Graph graph, String timestep,
        Supplier<DoubleStream> timesteps) {
        List<String> cutting = cutBy(graph, timestep);
        if (cutting.isEmpty()) {
            return Optional.empty();
        }
        DoubleSummaryStatistics lost = timesteps.get().map(it -> it - Math.floor(it)).filter(part -> part > 0)
            .summaryStatistics();
        return lost.getCount() == 0 ? Optional.empty() : Optional.of(String.format(Locale.ROOT,
            "%d timesteps of this noise scheduler lie between whole ones and are cut off, by up to %.2f, as the graph "
                + "of denoiser %s needs integers (node %s); take its checkpoint, or another noise scheduler",
            lost.getCount(), lost.getMax(), denoiser, String.join(", ", cutting)));
    }

    /**
     * The nodes that are given a timestep which was cut to a whole one, as errors call them; none if the graph computes
     * with fractional ones.
     */
    static List<String> cutBy(Graph graph, String timestep) {
        int type = input(graph, timestep).getType().getTensorType().getElemType();
        TimestepFlow flow = TimestepFlow.of(graph, DataType.INT64_VALUE);
        Set<String> fractional = new HashSet<>();
        Set<String> whole = new HashSet<>();
        (TimestepFlow.isReal(type) ? fractional : whole).add(timestep);
        Set<String> given = new LinkedHashSet<>();
        for (NodeProto node : graph.nodes()) {
            if (TimestepFlow.hasAny(node, whole)) {
                if (flow.isCastWithin(node, whole) || flow.carries(node, whole)) {
                    whole.addAll(Nodes.writes(node));
                } else if (!TimestepFlow.asksForShape(node)) {
                    given.add(Nodes.label(node));
                }
            } else if (flow.isCastWithin(node, fractional)) {
                whole.addAll(Nodes.writes(node));
            } else if (TimestepFlow.hasAny(node, fractional)
                && (flow.isCastToReal(node, fractional) || flow.carries(node, fractional))) {
                fractional.addAll(Nodes.writes(node));
            }
        }
        return List.copyOf(given);
    }

    private static ValueInfoProto input(Graph graph, String name) {
        return graph.inputs().stream().filter(it -> it.getName().equals(name)).findFirst().orElseThrow();
    }

    /** Whether a tensor may be of another type: callers see outputs, and in inner graphs no name can be changed. */
    private boolean canChange(String tensor) {
        return graph.outputs().stream().noneMatch(output -> output.getName().equals(tensor))
            && graph.consumers(tensor).stream().noneMatch(node -> TimestepFlow.captures(node, tensor));
    }

    private void take(NodeProto node) {
        boolean casts = flow.isCastWithin(node, declared.keySet());
        if (!TimestepFlow.hasAny(node, declared.keySet()) || TimestepFlow.asksForShape(node)) {
            nodes.add(node);
        } else if (flow.isCastToReal(node, declared.keySet())) {
            isCastToReal = true;
            nodes.add(node);
        } else if ((casts || flow.carries(node, declared.keySet()))
            && Nodes.writes(node).stream().allMatch(this::canChange)) {
            addTwin(node);
            add(casts ? node.toBuilder().setOpType("Identity").clearAttribute().clearInput()
                .addInput(node.getInput(0)).build() : joined(node));
            Nodes.writes(node).forEach(output -> declared.put(output, output + ".declared"));
        } else {
            nodes.add(renamed(node, declared));
        }
    }

    /** The node once more, in the types that were declared. */
    private void addTwin(NodeProto node) {
        NodeProto.Builder twin = renamed(node, declared).toBuilder().setName(node.getName() + ".declared")
            .clearOutput();
        node.getOutputList().forEach(output -> twin.addOutput(output.isEmpty() ? "" : output + ".declared"));
        add(twin.build());
    }

    /** The node with what it joins to the timestep cast to float32. */
    private NodeProto joined(NodeProto node) {
        NodeProto.Builder changed = node.toBuilder();
        for (int index = 0; index < node.getInputCount(); index++) {
            String tensor = node.getInput(index);
            if (flow.isCarried(node, index) && !tensor.isEmpty() && !declared.containsKey(tensor)) {
                String real = node.getOutput(0) + ".real." + index;
                add(cast(node.getName() + "." + index, tensor, real, DataType.FLOAT_VALUE));
                changed.setInput(index, real);
            }
        }
        return changed.build();
    }

    private void add(NodeProto node) {
        nodes.add(node);
        ours.add(node);
    }

    private static NodeProto renamed(NodeProto node, Map<String, String> names) {
        NodeProto.Builder changed = node.toBuilder();
        for (int index = 0; index < node.getInputCount(); index++) {
            changed.setInput(index, names.getOrDefault(node.getInput(index), node.getInput(index)));
        }
        return changed.build();
    }

    private static NodeProto cast(String name, String from, String to, int type) {
        return NodeProto.newBuilder().setOpType("Cast").setName(name + ".cast").addInput(from).addOutput(to)
            .addAttribute(AttributeProto.newBuilder().setName("to").setType(AttributeProto.AttributeType.INT)
                .setI(type)).build();
    }

    private Graph result(ValueInfoProto input) {
        ValueInfoProto.Builder changed = input.toBuilder();
        changed.getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.FLOAT_VALUE);
        List<ValueInfoProto> inputs = graph.inputs().stream().map(it -> it == input ? changed.build() : it).toList();
        Map<String, TypeProto> types = new HashMap<>(graph.types());
        types.keySet().removeAll(declared.keySet());
        return graph.with(inputs, graph.outputs(), useful(), graph.weights()).withTypes(types);
    }

    /** The nodes without those of ours that make nothing that is read. */
    private List<NodeProto> useful() {
        Set<String> read = new HashSet<>();
        graph.outputs().forEach(output -> read.add(output.getName()));
        List<NodeProto> useful = new ArrayList<>();
        for (NodeProto node : nodes.reversed()) {
            if (!ours.contains(node) || Nodes.writes(node).stream().anyMatch(read::contains)) {
                read.addAll(Nodes.reads(node));
                useful.add(node);
            }
        }
        return useful.reversed();
    }

    /**
     * Through which nodes of a graph a timestep goes as a number whose element type does not matter.
     *
     * @param whole whether it is an integer there. Then casts to other integers are such nodes, and sums and products:
     *     they are the same in real numbers, as long as they are no larger than float32 holds exactly, while those of
     *     real numbers are rounded. Exporters multiply a whole timestep with ones to spread it over a batch
     */
    private record TimestepFlow(Graph graph, boolean whole) {
        private static final Set<Integer> REAL = Set.of(DataType.FLOAT_VALUE, DataType.FLOAT16_VALUE,
            DataType.BFLOAT16_VALUE, DataType.DOUBLE_VALUE);
        /** Those that hold every timestep; a cast to a shorter one may mean more than the type. */
        private static final Set<Integer> WHOLE = Set.of(DataType.INT64_VALUE, DataType.INT32_VALUE,
            DataType.UINT64_VALUE, DataType.UINT32_VALUE, DataType.INT16_VALUE, DataType.UINT16_VALUE);

        /** Operators that hand elements of their first input on as they are. */
        private static final Set<String> MOVING = Set.of("Unsqueeze", "Squeeze", "Reshape", "Expand", "Identity",
            "Flatten", "Transpose", "Slice", "Tile", "Split", "Gather", "GatherElements", "GatherND");
        /** Operators that hand elements of several inputs on, from this input. */
        private static final Map<String, Integer> JOINING = Map.of("Concat", 0, "Where", 1);
        private static final Set<String> ARITHMETIC = Set.of("Add", "Sub", "Mul", "Min", "Max", "Clip", "Neg", "Abs");

        static TimestepFlow of(Graph graph, int type) {
            return new TimestepFlow(graph, isWhole(type));
        }

        /** Whether an element type, as ONNX files number it, holds fractions. */
        static boolean isReal(int type) {
            return REAL.contains(type);
        }

        static boolean isWhole(int type) {
            return WHOLE.contains(type);
        }

        /** The type that a cast makes; 0 if that is not known, or the node is no cast. */
        int target(NodeProto node) {
            if (node.getOpType().equals("Cast")) {
                return (int) Nodes.integer(node, "to", 0);
            }
            return node.getOpType().equals("CastLike") && node.getInputCount() == 2 ? type(node.getInput(1)) : 0;
        }

        private int type(String tensor) {
            if (graph.weights().containsKey(tensor)) {
                return graph.weights().get(tensor).getDataType();
            }
            return graph.inputs().stream().filter(input -> input.getName().equals(tensor)).findFirst()
                .map(input -> input.getType().getTensorType().getElemType())
                .orElseGet(() -> graph.types().containsKey(tensor)
                    ? graph.types().get(tensor).getTensorType().getElemType() : 0);
        }

        boolean isCastToReal(NodeProto node, Collection<String> tensors) {
            return isReal(target(node)) && tensors.contains(node.getInput(0));
        }

        /** Whether it casts one of these tensors, which are integers, to other integers. */
        boolean isCastWithin(NodeProto node, Collection<String> tensors) {
            return whole && isWhole(target(node)) && tensors.contains(node.getInput(0));
        }

        static boolean hasAny(NodeProto node, Collection<String> tensors) {
            return node.getInputList().stream().anyMatch(tensors::contains);
        }

        /** Whether it looks at no element. */
        static boolean asksForShape(NodeProto node) {
            return node.getOpType().equals("Shape") || node.getOpType().equals("Size");
        }

        /** Whether a node makes of the values of these tensors, and of nothing else, what any type could hold. */
        boolean carries(NodeProto node, Collection<String> tensors) {
            return IntStream.range(0, node.getInputCount()).filter(index -> tensors.contains(node.getInput(index)))
                .allMatch(index -> isCarried(node, index));
        }

        /** Whether the node hands on the elements of an input, by its index. */
        boolean isCarried(NodeProto node, int index) {
            String operator = Nodes.isStandard(node) ? node.getOpType() : "";
            return MOVING.contains(operator) && index == 0
                || JOINING.containsKey(operator) && index >= JOINING.get(operator)
                || whole && ARITHMETIC.contains(operator);
        }

        /** Whether an inner graph of a node (If, Loop) reads a tensor, where no cast can be put before it. */
        static boolean captures(NodeProto node, String tensor) {
            return Nodes.reads(node).stream().filter(tensor::equals).count()
                > node.getInputList().stream().filter(tensor::equals).count();
        }
    }
}
