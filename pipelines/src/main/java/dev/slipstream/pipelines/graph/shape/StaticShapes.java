package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.Renaming;
import dev.slipstream.pipelines.graph.shape.rule.KnownValues;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes the graph for one choice of input shapes, in which only the real work is left. */
public final class StaticShapes {
    private StaticShapes() {
    }

    /**
     * The same computation for exactly these inputs. All that only depends on shapes is folded into constants, so that
     * every Reshape, Slice, Expand and Resize has constant operands; If nodes with a constant condition are replaced by
     * the branch that is taken; copies, and nodes and weights that nothing needs, are gone.
     *
     * <p>Results are the same bit for bit, given the same kernels. All inputs and outputs keep their names, and
     * {@link Graph#types} of the result has the type of every input and of every node's output.
     *
     * @param inputs type of each graph input, all dimensions known; see {@link InputTypes}
     * @throws dev.slipstream.pipelines.graph.GraphException if the inputs do not fit the graph, or the type of a tensor
     *     that is needed cannot be known; the message names the node and its operator
     */
    public static Graph fix(Graph graph, Map<String, TensorType> inputs) {
        Propagation walk = Propagation.through(graph, inputs);
        KnownValues known = walk.known();
        Set<String> outputs = graph.outputs().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
        Map<String, TensorProto> weights = new LinkedHashMap<>(known.weights());
        UniformOperands uniform = new UniformOperands(known, weights);
        List<NodeProto> computing = new ArrayList<>();
        for (NodeProto node : walk.nodes()) {
            boolean makesOutput = Nodes.writes(node).stream().anyMatch(outputs::contains);
            if (makesOutput) {
                Nodes.writes(node).forEach(weights::remove);
            } else if (isConstant(node, known)) {
                Nodes.writes(node).forEach(tensor -> weights.computeIfAbsent(tensor,
                    name -> ConstantProtos.write(name, known.constant(name).orElseThrow())));
                continue;
            }
            computing.add(uniform.shrink(node));
        }
        List<NodeProto> mixed = new OnlyKeys(known, weights, graph.opset()).replace(computing);
        List<NodeProto> nodes = Copies.remove(mixed, outputs, known);
        Graph needed = GraphPruner.prune(graph.with(graph.inputs(), graph.outputs(), nodes, weights));
        return declared(needed, new TensorTypes(known));
    }

    private static boolean isConstant(NodeProto node, KnownValues known) {
        return Nodes.writes(node).stream().allMatch(tensor -> known.weights().containsKey(tensor)
            || known.constant(tensor).filter(Constant::isSmall).isPresent());
    }

    /** The graph with the types of its inputs, its outputs and whatever its nodes make. */
    private static Graph declared(Graph graph, TensorTypes known) {
        Map<String, TypeProto> types = new LinkedHashMap<>();
        for (NodeProto node : graph.nodes()) {
            for (String tensor : Nodes.writes(node)) {
                types.put(tensor, ValueInfos.of(ValueType.of(known.type(tensor))));
            }
        }
        List<ValueInfoProto> inputs = declared(graph.inputs(), known);
        inputs.forEach(input -> types.put(input.getName(), input.getType()));
        return graph.with(inputs, declared(graph.outputs(), known), graph.nodes(), graph.weights()).withTypes(types);
    }

    private static List<ValueInfoProto> declared(List<ValueInfoProto> infos, TensorTypes known) {
        return infos.stream().map(info -> ValueInfos.of(info.getName(), known.type(info.getName()))).toList();
    }

    /**
     * Shrinks large operands that are one value everywhere to a single element, where the other operands alone give the
     * result its shape. Then no gigabyte is filled with zeros only to be added to something.
     */
    private static final class UniformOperands {
        private static final Set<String> BROADCASTING = Set.of("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where",
            "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor");

        private final KnownValues known;
        private final Map<String, TensorProto> weights;

        /** @param weights where the single elements are put */
        UniformOperands(KnownValues known, Map<String, TensorProto> weights) {
            this.known = known;
            this.weights = weights;
        }

        NodeProto shrink(NodeProto node) {
            if (!Nodes.isStandard(node) || !BROADCASTING.contains(node.getOpType())
                || !known.isKnown(node.getOutput(0))) {
                return node;
            }
            NodeProto.Builder shrunk = node.toBuilder();
            for (int i = 0; i < node.getInputCount(); i++) {
                Optional<Constant> large = known.constant(node.getInput(i))
                    .filter(value -> value.isUniform() && !value.isSmall());
                if (large.isPresent() && othersGiveShape(shrunk, i)) {
                    shrunk.setInput(i, single(node.getInput(i), large.get()));
                }
            }
            return shrunk.build();
        }

        private boolean othersGiveShape(NodeProto.Builder node, int operand) {
            Optional<long[]> dims = Optional.of(new long[0]);
            for (int i = 0; i < node.getInputCount(); i++) {
                if (i != operand) {
                    long[] other = known.type(node.getInput(i)).dims();
                    dims = dims.flatMap(sofar -> Dims.broadcast(sofar, other));
                }
            }
            Shape result = known.type(node.getOutput(0)).shape();
            return dims.filter(found -> Arrays.equals(found, result.toArray())).isPresent();
        }

        private String single(String tensor, Constant large) {
            String name = tensor + "/one_element";
            Constant element = Constant.of(large.type().withDims(1), new long[] {large.word(0)});
            weights.put(name, ConstantProtos.write(name, element));
            known.putConstant(name, element);
            return name;
        }
    }

    /**
     * Attention to a single key, as to the picture of Stable Video Diffusion, gives every query its value: what asks
     * and what answers need not be worked out.
     */
    private static final class OnlyKeys {
        private final KnownValues known;
        private final Map<String, TensorProto> weights;
        private final long usualAxis;

        /** @param weights where the shapes are put */
        OnlyKeys(KnownValues known, Map<String, TensorProto> weights, long opset) {
            this.known = known;
            this.weights = weights;
            this.usualAxis = opset >= 13 ? -1 : 1;
        }

        /** @param nodes in topological order */
        List<NodeProto> replace(List<NodeProto> nodes) {
            Set<String> ones = new HashSet<>();
            return nodes.stream().map(node -> {
                if (isOverOne(node)) {
                    ones.add(node.getOutput(0));
                }
                boolean product = Nodes.is(node, "MatMul", 2)
                    && ones.contains(node.getInput(0)) && known.isKnown(node.getOutput(0));
                return product ? spread(node) : node;
            }).toList();
        }

        private boolean isOverOne(NodeProto node) {
            if (!Nodes.is(node, "Softmax", 1) || !known.isKnown(node.getOutput(0))) {
                return false;
            }
            Shape shape = known.type(node.getOutput(0)).shape();
            long axis = Nodes.integer(node, "axis", usualAxis);
            return shape.rank() > 1 && shape.dim(shape.rank() - 1) == 1 && (axis == -1 || axis == shape.rank() - 1);
        }

        /** The values, once for each query. */
        private NodeProto spread(NodeProto product) {
            String shape = product.getOutput(0) + "/shape";
            weights.put(shape, ConstantProtos.integers(shape,
                Arrays.stream(known.type(product.getOutput(0)).shape().toArray()).boxed().toList()));
            return product.toBuilder().setOpType("Expand").clearInput().addInput(product.getInput(1)).addInput(shape)
                .build();
        }
    }

    /**
     * Removes nodes whose output is their input: Identity, Dropout outside training, Cast to the type that it is
     * already, and the zero that exporters add to attention scores.
     */
    private static final class Copies {
        private final KnownValues known;
        private final Set<String> outputs;
        private final Map<String, List<NodeProto>> readers = new HashMap<>();

        private Copies(List<NodeProto> nodes, Set<String> outputs, KnownValues known) {
            this.known = known;
            this.outputs = outputs;
            for (NodeProto node : nodes) {
                Nodes.reads(node).forEach(input -> readers.computeIfAbsent(input, key -> new ArrayList<>()).add(node));
            }
        }

        /**
         * @param nodes in topological order
         * @param outputs tensors whose names must stay
         */
        static List<NodeProto> remove(List<NodeProto> nodes, Set<String> outputs, KnownValues known) {
            Copies copies = new Copies(nodes, outputs, known);
            Renaming renaming = new Renaming();
            Set<String> made = new HashSet<>();
            List<NodeProto> kept = new ArrayList<>();
            for (NodeProto node : nodes) {
                Optional<String> source = copies.source(node).map(renaming::of);
                boolean isOutput = outputs.contains(node.getOutput(0));
                if (source.isPresent() && !isOutput) {
                    renaming.put(node.getOutput(0), source.get());
                } else if (source.isPresent() && made.contains(source.get()) && !outputs.contains(source.get())) {
                    renaming.put(source.get(), node.getOutput(0));
                    made.add(node.getOutput(0));
                } else {
                    kept.add(node);
                    made.addAll(Nodes.writes(node));
                }
            }
            return kept.stream().map(renaming::apply).toList();
        }

        /** The tensor of which the node's only used output is a copy. */
        private Optional<String> source(NodeProto node) {
            if (!Nodes.isStandard(node) || node.getInputCount() == 0 || node.getOutput(0).isEmpty()) {
                return Optional.empty();
            }
            boolean copies = switch (node.getOpType()) {
                case "Identity" -> true;
                case "Dropout" -> isIdleDropout(node);
                case "Cast" -> known.isKnown(node.getInput(0)) && known.isKnown(node.getOutput(0))
                    && known.type(node.getInput(0)).equals(known.type(node.getOutput(0)));
                default -> false;
            };
            return copies ? Optional.of(node.getInput(0)) : addedToZero(node);
        }

        private boolean isIdleDropout(NodeProto node) {
            boolean maskUsed = node.getOutputCount() > 1
                && (readers.containsKey(node.getOutput(1)) || outputs.contains(node.getOutput(1)));
            boolean hasMode = node.getInputCount() > 2 && !node.getInput(2).isEmpty();
            return !maskUsed && (!hasMode || known.constant(node.getInput(2)).filter(Constant::isZero).isPresent());
        }

        /**
         * torch.onnx writes {@code baddbmm} with {@code beta = 0} as an addition of zeros as large as the attention
         * scores. It changes nothing but the sign of zeros, which Softmax does not see.
         */
        private Optional<String> addedToZero(NodeProto node) {
            String output = node.getOutput(0);
            boolean onlySoftmax = !outputs.contains(output) && readers.containsKey(output)
                && readers.get(output).stream().allMatch(reader -> reader.getOpType().equals("Softmax"));
            if (!node.getOpType().equals("Add") || node.getInputCount() != 2 || !onlySoftmax
                || !known.isKnown(output)) {
                return Optional.empty();
            }
            for (int i = 0; i < 2; i++) {
                String other = node.getInput(1 - i);
                boolean zero = known.constant(node.getInput(i)).filter(Constant::isZero).isPresent();
                if (zero && known.isKnown(other) && known.type(other).equals(known.type(output))) {
                    return Optional.of(other);
                }
            }
            return Optional.empty();
        }
    }
}
