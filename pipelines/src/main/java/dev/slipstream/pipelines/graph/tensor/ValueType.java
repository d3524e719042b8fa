package dev.slipstream.pipelines.graph.tensor;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import java.util.Locale;
import java.util.Optional;

/** Element type and shape of a tensor inside a graph; like {@link TensorType}, with all types that ONNX graphs use. */
public record ValueType(ElementType element, Shape shape) {
    public static ValueType of(ElementType element, long... dims) {
        return new ValueType(element, Shape.of(dims));
    }

    public static ValueType of(TensorType type) {
        return new ValueType(ElementType.of(type.type()), type.shape());
    }

    public ValueType withElement(ElementType other) {
        return new ValueType(other, shape);
    }

    public ValueType withDims(long... dims) {
        return of(element, dims);
    }

    public long[] dims() {
        return shape.toArray();
    }

    public long elements() {
        return shape.elements();
    }

    /** The type as devices see it; empty if they have no such element type. */
    public Optional<TensorType> onDevices() {
        Optional<DataType> type = element.onDevices();
        return type.map(known -> new TensorType(known, shape));
    }

    @Override
    public String toString() {
        return element.name().toLowerCase(Locale.ROOT) + shape;
    }
}
