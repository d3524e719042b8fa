package dev.slipstream.pipelines.graph.build;

import dev.slipstream.bridge.DataType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A tensor of a graph that is being written.
 *
 * @param name unique in its graph
 * @param type element type
 * @param dims shape, outermost first
 */
public record Value(String name, DataType type, List<Dim> dims) {
    /** Stands for an optional input of an operator that is left out. */
    static final Value ABSENT = new Value("", DataType.FLOAT32, List.of());

    public Value {
        dims = List.copyOf(dims);
    }

    public int rank() {
        return dims.size();
    }

    /** @param axis negative ones count from the end */
    public Dim dim(int axis) {
        return dims.get(axis < 0 ? axis + dims.size() : axis);
    }

    /** The size along an axis that is known. @throws IllegalStateException if it is open */
    public long size(int axis) {
        return dim(axis).size();
    }

    static String describe(DataType type, List<Dim> dims) {
        return type.name().toLowerCase(Locale.ROOT) + dims;
    }

    static List<Dim> dims(long... sizes) {
        return Arrays.stream(sizes).mapToObj(Dim::of).toList();
    }

    @Override
    public String toString() {
        return describe(type, dims);
    }
}
