package dev.slipstream.pipelines.graph.pipe;

import static dev.slipstream.pipelines.graph.pipe.OperatorRules.axis;
import static dev.slipstream.pipelines.graph.pipe.OperatorRules.refused;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.pipe.NodeFlow.Operand.Table;
import dev.slipstream.pipelines.graph.pipe.TokenLayout.Section;
import dev.slipstream.pipelines.graph.tensor.Dims;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Operators that only move elements. Axes are followed by where they are and not by
 * how long, since other dimensions may be as long.
 */
final class MovingRules implements OperatorRules {
    private final TokenFlow tensors;

    MovingRules(TokenFlow tensors) {
        this.tensors = tensors;
    }

    @Override
    public NodeFlow of(NodeProto node) {
        if (node.getOpType().equals("Concat")) {
            return concat(node);
        }
        TokenLayout layout = tensors.layout(node.getInput(0))
            .filter(it -> node.getInputList().stream().skip(1).noneMatch(other -> tensors.layout(other).isPresent()))
            .orElseThrow(() -> refused(node, "is not known to keep tokens apart"));
        long[] dims = tensors.dims(node.getInput(0));
        long[] out = tensors.dims(node.getOutput(0));
        return switch (node.getOpType()) {
            case "Reshape", "Flatten" -> reshape(node, layout, dims, out);
            case "Transpose" -> NodeFlow.plain(node, layout.at(permutation(node, dims.length).indexOf(
                (long) layout.axis())));
            case "Unsqueeze" -> NodeFlow.plain(node, layout.at(kept(node, axes(node, out.length), out.length).get(
                layout.axis())));
            case "Squeeze" -> NodeFlow.plain(node, layout.at(kept(node, axes(node, dims.length), dims.length).indexOf(
                layout.axis())));
            case "Expand" -> {
                TokenLayout moved = layout.at(layout.axis() + out.length - dims.length);
                yield NodeFlow.plain(node, moved).with(1, patch -> moved.dims(out, patch));
            }
            case "Tile" -> tile(node, layout, dims, out);
            case "Gather" -> gather(node, layout, dims);
            case "Split" -> split(node, layout, dims);
            case "Slice" -> slice(node, layout, dims);
            case "Einsum" -> einsum(node, layout);
            default -> throw refused(node, "is not known to keep tokens apart");
        };
    }

    private NodeFlow reshape(NodeProto node, TokenLayout layout, long[] dims, long[] out) {
        TokenLayout moved = reshaped(layout, dims, out)
            .orElseThrow(() -> refused(node, "takes rows of tokens apart"));
        // Flatten says where, and not how long its result is.
        return node.getOpType().equals("Flatten") ? NodeFlow.plain(node, moved)
            : NodeFlow.plain(node, moved).with(1, patch -> moved.dims(out, patch));
    }

    /** Elements stay in their order: the tokens' rows are the same steps of the same distance before and after. */
    private Optional<TokenLayout> reshaped(TokenLayout layout, long[] dims, long[] out) {
        long before = Dims.product(dims, 0, layout.axis()) * layout.outer();
        long within = layout.length() * Dims.product(dims, layout.axis() + 1, dims.length);
        long prefix = 1;
        for (int axis = 0; axis < out.length; axis++) {
            if (prefix * out[axis] > before) {
                long outer = before / prefix;
                long length = out[axis] / outer;
                boolean fits = before % prefix == 0 && out[axis] % outer == 0 && within % length == 0;
                return fits ? layout.scaled(axis, outer, length, tensors.rows()) : Optional.empty();
            }
            prefix *= out[axis];
        }
        return Optional.empty();
    }

    private static List<Long> permutation(NodeProto node, int rank) {
        List<Long> given = Nodes.integers(node, "perm");
        return given.isEmpty() ? IntStream.range(0, rank).mapToObj(axis -> rank - 1L - axis).toList() : given;
    }

    private Set<Integer> axes(NodeProto node, int rank) {
        long[] given = node.getInputCount() > 1 ? tensors.integers(node.getInput(1)).orElse(new long[0])
            : Nodes.integers(node, "axes").stream().mapToLong(Long::longValue).toArray();
        return Set.copyOf(Arrays.stream(given).mapToObj(axis -> axis(axis, rank)).toList());
    }

    /** Axes of the longer shape that the shorter one has. */
    private static List<Integer> kept(NodeProto node, Set<Integer> others, int rank) {
        if (others.isEmpty()) {
            throw refused(node, "does not say which axes");
        }
        return IntStream.range(0, rank).filter(axis -> !others.contains(axis)).boxed().toList();
    }

    private static NodeFlow tile(NodeProto node, TokenLayout layout, long[] dims, long[] out) {
        if (dims[layout.axis()] != out[layout.axis()]) {
            throw refused(node, "repeats tokens");
        }
        return NodeFlow.plain(node, layout);
    }

    private NodeFlow gather(NodeProto node, TokenLayout layout, long[] dims) {
        int along = axis(Nodes.integer(node, "axis", 0), dims.length);
        if (along == layout.axis()) {
            throw refused(node, "mixes tokens");
        }
        int more = along < layout.axis() ? tensors.dims(node.getInput(1)).length - 1 : 0;
        return NodeFlow.plain(node, layout.at(layout.axis() + more));
    }

    private NodeFlow concat(NodeProto node) {
        int along = axis(Nodes.integer(node, "axis", 0), tensors.dims(node.getOutput(0)).length);
        List<TokenLayout> parts = node.getInputList().stream().flatMap(it -> tensors.layout(it).stream()).toList();
        TokenLayout first = parts.getFirst();
        if (along == first.axis()) {
            return joined(node, along, parts);
        }
        if (!parts.stream().allMatch(first::equals)) {
            throw refused(node, "joins tokens that lie in different ways");
        }
        NodeFlow flow = NodeFlow.plain(node, first);
        for (int i = 0; i < node.getInputCount(); i++) {
            if (tensors.layout(node.getInput(i)).isEmpty()) {
                if (first.outer() > 1) {
                    throw refused(node, "has an operand for all rows of a batch at once");
                }
                flow = flow.with(i, new Table(first));
            }
        }
        return flow;
    }

    /** The text's tokens and the picture's, behind each other. */
    private NodeFlow joined(NodeProto node, int axis, List<TokenLayout> parts) {
        if (parts.size() > 1 || parts.getFirst().outer() > 1) {
            throw refused(node, "has the picture's tokens more than once");
        }
        List<Section> sections = new ArrayList<>();
        for (String input : node.getInputList()) {
            sections.addAll(tensors.layout(input).map(TokenLayout::sections)
                .orElseGet(() -> List.of(new Section(false, tensors.dims(input)[axis]))));
        }
        return NodeFlow.plain(node, new TokenLayout(axis, 1, sections));
    }

    private NodeFlow split(NodeProto node, TokenLayout layout, long[] dims) {
        if (axis(Nodes.integer(node, "axis", 0), dims.length) != layout.axis()) {
            return NodeFlow.plain(node, layout);
        }
        if (layout.outer() > 1 || node.getInputCount() < 2) {
            throw refused(node, "divides tokens into equal parts");
        }
        List<Optional<TokenLayout>> outputs = new ArrayList<>();
        List<Long> ends = new ArrayList<>(List.of(0L));
        for (String output : node.getOutputList()) {
            long begin = ends.getLast();
            ends.add(begin + tensors.dims(output)[layout.axis()]);
            outputs.add(part(node, layout, begin, ends.getLast()));
        }
        return new NodeFlow(node, Map.of(), outputs).with(1, patch -> IntStream.range(1, ends.size())
            .mapToLong(i -> layout.place(ends.get(i), patch) - layout.place(ends.get(i - 1), patch)).toArray());
    }

    /** The layout of a part; empty where that is text alone. */
    private static Optional<TokenLayout> part(NodeProto node, TokenLayout layout, long from, long to) {
        List<Section> sections = layout.between(from, to)
            .orElseThrow(() -> refused(node, "takes a part of the picture's tokens"));
        return sections.stream().anyMatch(Section::picture)
            ? Optional.of(new TokenLayout(layout.axis(), layout.outer(), sections)) : Optional.empty();
    }

    private NodeFlow slice(NodeProto node, TokenLayout layout, long[] dims) {
        long[] starts = tensors.integers(node.getInput(1)).orElseThrow(() -> refused(node, "has no constant place"));
        long[] ends = tensors.integers(node.getInput(2)).orElseThrow(() -> refused(node, "has no constant place"));
        long[] axes = node.getInputCount() > 3 && !node.getInput(3).isEmpty()
            ? tensors.integers(node.getInput(3)).orElseThrow(() -> refused(node, "has no constant axis"))
            : IntStream.range(0, starts.length).asLongStream().toArray();
        int entry = IntStream.range(0, axes.length).filter(i -> axis(axes[i], dims.length) == layout.axis())
            .findFirst().orElse(-1);
        if (entry < 0) {
            return NodeFlow.plain(node, layout);
        }
        long[] steps = node.getInputCount() > 4 ? tensors.integers(node.getInput(4)).orElse(new long[0]) : new long[0];
        if (steps.length > entry && steps[entry] != 1 || layout.outer() > 1) {
            throw refused(node, "takes a part of the picture's tokens");
        }
        long start = bound(starts[entry], dims[layout.axis()]);
        long end = bound(ends[entry], dims[layout.axis()]);
        return new NodeFlow(node, Map.of(), List.of(part(node, layout, start, end)))
            .with(1, patch -> Dims.with(starts, entry, layout.place(start, patch)))
            .with(2, patch -> Dims.with(ends, entry, layout.place(end, patch)));
    }

    private static long bound(long place, long length) {
        return Math.clamp(place < 0 ? place + length : place, 0, length);
    }

    private static NodeFlow einsum(NodeProto node, TokenLayout layout) {
        String[] sides = Nodes.attribute(node, "equation").map(it -> it.getS().toStringUtf8()).orElse("")
            .replace(" ", "").split("->");
        boolean permutes = node.getInputCount() == 1 && sides.length == 2 && sides[0].matches("[A-Za-z]+")
            && sides[1].length() == sides[0].length() && sides[0].chars().distinct().count() == sides[0].length()
            && sides[1].chars().allMatch(letter -> sides[0].indexOf(letter) >= 0);
        if (!permutes) {
            throw refused(node, "is not known to keep tokens apart");
        }
        return NodeFlow.plain(node, layout.at(sides[1].indexOf(sides[0].charAt(layout.axis()))));
    }
}
