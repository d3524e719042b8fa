package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.TensorSizes;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Types of a graph's inputs, from sizes for the dimensions that the graph leaves open. */
public final class InputTypes {
    private InputTypes() {
    }

    /**
     * @param sizes size of each open dimension by its name in the graph, such as {@code batch_size} or {@code height};
     *     names that the graph does not use are ignored
     * @throws GraphException if a dimension has no size; the message names input and dimension
     */
    public static Map<String, TensorType> of(Graph graph, Map<String, Long> sizes) {
        return of(graph, sizes, Map.of());
    }

    /**
     * @param shapes whole shapes of some inputs by name, for inputs whose dimensions have no names
     */
    public static Map<String, TensorType> of(Graph graph, Map<String, Long> sizes, Map<String, Shape> shapes) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        for (ValueInfoProto input : graph.inputs()) {
            String name = input.getName();
            Shape shape = shapes.containsKey(name) ? shapes.get(name) : shape(input, sizes);
            types.put(name, new TensorType(element(input), shape));
        }
        check(graph, types);
        return types;
    }

    private static Shape shape(ValueInfoProto input, Map<String, Long> sizes) {
        if (!input.getType().getTensorType().hasShape()) {
            throw new GraphException("input '" + input.getName() + "' has no shape in the graph; give one");
        }
        List<Dimension> dims = dimensions(input);
        long[] known = new long[dims.size()];
        for (int i = 0; i < known.length; i++) {
            Dimension dim = dims.get(i);
            Long size = dim.hasDimValue() ? Long.valueOf(dim.getDimValue()) : sizes.get(dim.getDimParam());
            if (size == null || size < 0) {
                throw new GraphException("dimension " + i + " ('" + dim.getDimParam() + "') of input '"
                    + input.getName() + "' has no size; give one for that name, or the input's whole shape");
            }
            known[i] = size;
        }
        return Shape.of(known);
    }

    /** The element type that a graph declares for an input. */
    public static DataType element(ValueInfoProto input) {
        int code = input.getType().getTensorType().getElemType();
        return ElementType.ofCode(code).flatMap(ElementType::onDevices).orElseThrow(() -> new GraphException(
            "input '" + input.getName() + "' has element type " + code + ", which no device takes"));
    }

    private static List<Dimension> dimensions(ValueInfoProto input) {
        return input.getType().getTensorType().getShape().getDimList();
    }

    /**
     * Finds out whether every input of the graph has a type, all known, that fits what the graph says about it.
     *
     * @throws GraphException if not; the message names the input
     */
    public static void check(Graph graph, Map<String, TensorType> types) {
        for (ValueInfoProto input : graph.inputs()) {
            TensorType type = types.get(input.getName());
            if (type == null || !type.shape().isKnown()) {
                throw new GraphException("input '" + input.getName() + "' needs a type with all dimensions, not "
                    + type);
            }
            TensorSizes.complaint(type.shape().toArray()).ifPresent(complaint -> {
                throw new GraphException("input '" + input.getName() + "' " + complaint);
            });
            boolean fits = element(input) == type.type();
            if (input.getType().getTensorType().hasShape()) {
                List<Dimension> dims = dimensions(input);
                fits &= dims.size() == type.shape().rank();
                for (int i = 0; fits && i < dims.size(); i++) {
                    fits = !dims.get(i).hasDimValue() || dims.get(i).getDimValue() == type.shape().dim(i);
                }
            }
            if (!fits) {
                throw new GraphException("input '" + input.getName() + "' cannot be " + type + "; the graph says "
                    + describe(input));
            }
        }
        Set<String> names = graph.inputs().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
        types.keySet().stream().filter(name -> !names.contains(name)).findFirst().ifPresent(name -> {
            throw new GraphException("the graph has no input '" + name + "'; its inputs are " + names);
        });
    }

    private static String describe(ValueInfoProto input) {
        return element(input).name().toLowerCase(Locale.ROOT) + dimensions(input).stream()
            .map(dim -> dim.hasDimValue() ? Long.toString(dim.getDimValue())
                : dim.getDimParam().isEmpty() ? "?" : dim.getDimParam())
            .collect(Collectors.joining(", ", "[", "]"));
    }
}
