package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** Values of operators that pick or replace elements by position. Positions out of range are left to the engine. */
final class IndexingFolding {
    private IndexingFolding() {
    }

    static Map<String, FoldingRule> table() {
        return Map.of("Gather", IndexingFolding::gather, "GatherElements", IndexingFolding::gatherElements,
            "ScatterND", IndexingFolding::scatterNd);
    }

    /** The positions that an index input names, from 0 up; empty if one is out of range. */
    private static Optional<long[]> positions(Constant indices, long size) {
        if (!indices.isSmall()) {
            return Optional.empty();
        }
        long[] positions = indices.integers();
        for (int i = 0; i < positions.length; i++) {
            positions[i] += positions[i] < 0 ? size : 0;
            if (positions[i] < 0 || positions[i] >= size) {
                return Optional.empty();
            }
        }
        return Optional.of(positions);
    }

    private static Optional<Constant> gather(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        long inner = Dims.product(dims, axis + 1, dims.length);
        if (!data.isUniform() && type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        return positions(node.required(1), dims[axis]).map(positions -> data.rearranged(type, index -> {
            long column = index % inner;
            long row = index / inner;
            long outer = row / positions.length;
            return (int) ((outer * dims[axis] + positions[(int) (row % positions.length)]) * inner + column);
        }));
    }

    private static Optional<Constant> gatherElements(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        long[] strides = Dims.strides(dims);
        long[] others = Dims.with(strides, axis, 0);
        return positions(node.required(1), dims[axis]).map(positions -> data.rearranged(type,
            index -> (int) (Dims.offset(index, type.dims(), others) + positions[index] * strides[axis])));
    }

    private static Optional<Constant> scatterNd(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        Constant indices = node.required(1);
        Constant updates = node.required(2);
        boolean plain = node.string("reduction", "none").equals("none");
        if (!plain || !data.isSmall() || !indices.isSmall() || !updates.isSmall()) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        long[] strides = Dims.strides(dims);
        int depth = (int) indices.type().shape().dim(-1);
        int block = (int) Dims.product(dims, depth, dims.length);
        long[] words = new long[data.elements()];
        Arrays.setAll(words, data::word);
        for (int row = 0; row * depth < indices.elements(); row++) {
            long start = 0;
            for (int i = 0; i < depth; i++) {
                long position = indices.word(row * depth + i);
                position += position < 0 ? dims[i] : 0;
                if (position < 0 || position >= dims[i]) {
                    return Optional.empty();
                }
                start += position * strides[i];
            }
            for (int k = 0; k < block; k++) {
                words[(int) start + k] = updates.word(row * block + k);
            }
        }
        return Optional.of(Constant.of(type, words));
    }
}
