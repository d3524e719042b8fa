package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Matrix products. */
final class MatrixRules {
    private MatrixRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("MatMul", MatrixRules::product, "Gemm", MatrixRules::gemm, "Einsum", EinsumRule::outputs);
    }

    /** As NumPy's matmul: a vector counts as a row on the left and as a column on the right. */
    private static List<ValueType> product(TypedNode node) {
        boolean row = node.rank(0) == 1;
        boolean column = node.rank(1) == 1;
        long[] left = row ? Dims.concat(new long[] {1}, node.dims(0)) : node.dims(0);
        long[] right = column ? Dims.concat(node.dims(1), new long[] {1}) : node.dims(1);
        if (left.length < 2 || right.length < 2 || left[left.length - 1] != right[right.length - 2]) {
            throw node.invalid("matrices " + node.type(0) + " and " + node.type(1) + " do not fit");
        }
        long[] batch = node.broadcast(Arrays.copyOf(left, left.length - 2), Arrays.copyOf(right, right.length - 2));
        long[] rows = row ? new long[0] : new long[] {left[left.length - 2]};
        long[] columns = column ? new long[0] : new long[] {right[right.length - 1]};
        return List.of(node.type(0).withDims(Dims.concat(batch, rows, columns)));
    }

    private static List<ValueType> gemm(TypedNode node) {
        long[] left = node.dims(0);
        long[] right = node.dims(1);
        int turnLeft = node.flag("transA") ? 1 : 0;
        int turnRight = node.flag("transB") ? 1 : 0;
        if (left.length != 2 || right.length != 2 || left[1 - turnLeft] != right[turnRight]) {
            throw node.invalid("matrices " + node.type(0) + " and " + node.type(1) + " do not fit");
        }
        return List.of(node.type(0).withDims(left[turnLeft], right[1 - turnRight]));
    }
}
