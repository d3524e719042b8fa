package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Through which nodes of a graph a timestep goes as a number whose element type does not matter.
 *
 * @param whole whether it is an integer there. Then casts to other integers are such nodes, and sums and products: they
 *     are the same in real numbers, as long as they are no larger than float32 holds exactly, while those of real
 *     numbers are rounded. Exporters multiply a whole timestep with ones to spread it over a batch
 */
record TimestepFlow(Graph graph, boolean whole) {
    private static final Set<Integer> REAL = Set.of(DataType.FLOAT_VALUE, DataType.FLOAT16_VALUE,
        DataType.BFLOAT16_VALUE, DataType.DOUBLE_VALUE);
    /** Those that hold every timestep; a cast to a shorter one may mean more than the type. */
    private static final Set<Integer> WHOLE = Set.of(DataType.INT64_VALUE, DataType.INT32_VALUE,
        DataType.UINT64_VALUE, DataType.UINT32_VALUE, DataType.INT16_VALUE, DataType.UINT16_VALUE);

    /** Operators that hand elements of their first input on as they are. */
    private static final Set<String> MOVING = Set.of("Unsqueeze", "Squeeze", "Reshape", "Expand", "Identity", "Flatten",
        "Transpose", "Slice", "Tile", "Split", "Gather", "GatherElements", "GatherND");
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

    /** Whether a node makes something of these tensors, and of nothing but their values, that any type could hold. */
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
