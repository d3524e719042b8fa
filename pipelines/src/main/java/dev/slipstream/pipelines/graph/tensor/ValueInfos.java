package dev.slipstream.pipelines.graph.tensor;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Declarations of tensors as ONNX files have them, and types as devices see them. */
public final class ValueInfos {
    private ValueInfos() {
    }

    /** The declaration of a tensor. @param type all its dimensions are known */
    public static ValueInfoProto of(String name, TensorType type) {
        return of(name, ValueType.of(type));
    }

    public static ValueInfoProto of(String name, ValueType type) {
        return ValueInfoProto.newBuilder().setName(name).setType(of(type)).build();
    }

    public static TypeProto of(ValueType type) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dim : type.dims()) {
            shape.addDim(Dimension.newBuilder().setDimValue(dim));
        }
        return TypeProto.newBuilder().setTensorType(TypeProto.Tensor.newBuilder().setElemType(type.element().code())
            .setShape(shape)).build();
    }

    /** The tensors of a graph whose element type and dimensions are all known. */
    public static Map<String, TensorType> types(Graph graph) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        graph.types().forEach((name, type) -> type(type).ifPresent(known -> types.put(name, known)));
        return types;
    }

    /** The graph with these types, too, where it does not know one itself. @param known also of other tensors */
    public static Graph withTypes(Graph graph, Map<String, TensorType> known) {
        Map<String, TypeProto> types = new LinkedHashMap<>(graph.types());
        Stream.concat(graph.inputs().stream().map(ValueInfoProto::getName),
            graph.nodes().stream().flatMap(node -> Nodes.writes(node).stream())).forEach(name -> {
                TensorType type = known.get(name);
                if (type != null) {
                    types.computeIfAbsent(name, key -> of(ValueType.of(type)));
                }
            });
        return graph.withTypes(types);
    }

    /** Types of inputs or outputs whose element types and dimensions are all known. */
    public static Map<String, TensorType> typesOf(List<ValueInfoProto> infos) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        infos.forEach(info -> type(info.getType()).ifPresent(known -> types.put(info.getName(), known)));
        return types;
    }

    private static Optional<TensorType> type(TypeProto declared) {
        TypeProto.Tensor tensor = declared.getTensorType();
        if (!tensor.hasShape() || !tensor.getShape().getDimList().stream().allMatch(Dimension::hasDimValue)) {
            return Optional.empty();
        }
        long[] dims = tensor.getShape().getDimList().stream().mapToLong(Dimension::getDimValue).toArray();
        return ElementType.ofCode(tensor.getElemType()).flatMap(ElementType::onDevices)
            .map(element -> new TensorType(element, Shape.of(dims)));
    }
}
