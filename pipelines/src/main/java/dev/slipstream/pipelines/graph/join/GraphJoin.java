package dev.slipstream.pipelines.graph.join;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.ExternalData;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.Renaming;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes one graph of several, of which later ones read what earlier ones make.
 *
 * <pre>{@code
 * Graph network = new GraphJoin()
 *     .add("controlnet", control, Map.of())
 *     .add("", unet, Map.of("mid_block_additional_residual",
 *         List.of(GraphJoin.name("controlnet", "mid_block_res_sample"))))
 *     .joined();
 * }</pre>
 *
 * Inputs of one name are one input, whichever members have it. Nodes, weights and all other tensors of a member are
 * inside a module of its name, {@code /controlnet/conv_in/Conv}; those of the member {@code ""}, of which there may be
 * one, keep their names, so that cuts by module paths mean what they meant. Outputs are those of the last member. One
 * thread.
 */
public final class GraphJoin {
    private final List<Graph> members = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final Map<String, ValueInfoProto> inputs = new LinkedHashMap<>();
    private final Map<String, ValueInfoProto> outputs = new LinkedHashMap<>();
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TypeProto> types = new LinkedHashMap<>();

    /** What a tensor or a node of a member is called in the whole. */
    public static String name(String member, String own) {
        return member.isEmpty() ? own : "/" + member + (own.startsWith("/") ? own : "/" + own);
    }

    /**
     * Adds a graph.
     *
     * @param name of its module in the whole; {@code ""} if its names stay as they are
     * @param feeds what its inputs read, for those that are not inputs of the whole under their own names: one other
     *     input of the whole, or outputs of members before under the names of {@link #name}, of which several are added
     *     up in this order
     * @throws GraphException if names are taken or unknown, or element types or operator sets do not fit
     */
    public GraphJoin add(String name, Graph graph, Map<String, List<String>> feeds) {
        check(name, graph, feeds);
        Map<String, String> fed = new HashMap<>();
        for (ValueInfoProto input : graph.inputs()) {
            List<String> sources = feeds.getOrDefault(input.getName(), List.of(input.getName()));
            sources.forEach(source -> checkType(name, input, source));
            if (sources.size() == 1 && !outputs.containsKey(sources.getFirst())) {
                inputs.merge(sources.getFirst(), input.toBuilder().setName(sources.getFirst()).build(),
                    (one, other) -> one(name, one, other));
            }
            fed.put(input.getName(), sum(name, input, sources));
        }
        Renamed renamed = new Renamed(name, graph, fed);
        graph.nodes().forEach(node -> nodes.add(renamed.node(node)));
        graph.types().forEach((tensor, type) -> types.put(renamed.tensor(tensor), type));
        graph.outputs().forEach(output -> outputs.put(renamed.tensor(output.getName()),
            output.toBuilder().setName(renamed.tensor(output.getName())).build()));
        members.add(graph);
        names.add(name);
        return this;
    }

    private void check(String name, Graph graph, Map<String, List<String>> feeds) {
        if (names.contains(name)) {
            throw new GraphException("two graphs that are joined have the name '" + name + "'");
        }
        feeds.keySet().stream().filter(input -> !graph.isInput(input)).findFirst().ifPresent(input -> {
            throw new GraphException("'" + input + "' is no input of the graph '" + name + "', which has "
                + graph.inputs().stream().map(ValueInfoProto::getName).toList());
        });
        feeds.forEach((input, sources) -> {
            if (sources.isEmpty()) {
                throw new GraphException("input '" + input + "' of the graph '" + name + "' is fed by nothing");
            }
            boolean made = sources.size() > 1 || sources.stream().anyMatch(source -> source.startsWith("/"));
            sources.stream().filter(source -> made && !outputs.containsKey(source)).findFirst().ifPresent(source -> {
                throw new GraphException("'" + source + "', which input '" + input + "' of the graph '" + name
                    + "' is to read, is no output of a graph before it; there are " + outputs.keySet());
            });
        });
        members.stream().filter(member -> member.opset() != graph.opset()).findFirst().ifPresent(member -> {
            throw new GraphException("graph '" + name + "' is of operator set " + graph.opset() + " and one that it is "
                + "joined with of " + member.opset() + "; export both with the same");
        });
    }

    private void checkType(String name, ValueInfoProto input, String source) {
        ValueInfoProto made = outputs.containsKey(source) ? outputs.get(source) : inputs.get(source);
        if (made != null && element(made) != element(input) && element(made) != 0) {
            throw new GraphException("input '" + input.getName() + "' of the graph '" + name + "' has another element "
                + "type than '" + source + "', which it is to read");
        }
        if (made != null && outputs.containsKey(source)) {
            checkShape(name, input, made);
        }
    }

    /** What is made may be broadcast along an axis. */
    private static void checkShape(String name, ValueInfoProto input, ValueInfoProto made) {
        List<Dimension> wanted = input.getType().getTensorType().getShape().getDimList();
        List<Dimension> given = made.getType().getTensorType().getShape().getDimList();
        for (int axis = 0; wanted.size() == given.size() && axis < wanted.size(); axis++) {
            long size = given.get(axis).getDimValue();
            if (wanted.get(axis).hasDimValue() && given.get(axis).hasDimValue() && size != 1
                && size != wanted.get(axis).getDimValue()) {
                throw new GraphException("input '" + input.getName() + "' of the graph '" + name + "' has "
                    + wanted.get(axis).getDimValue() + " in dimension " + axis + ", and '" + made.getName()
                    + "', which it is to read, " + size);
            }
        }
    }

    private static int element(ValueInfoProto info) {
        return info.getType().getTensorType().getElemType();
    }

    /** What two members say of an input that they share. */
    private static ValueInfoProto one(String name, ValueInfoProto one, ValueInfoProto other) {
        TypeProto.Tensor first = one.getType().getTensorType();
        TypeProto.Tensor second = other.getType().getTensorType();
        if (!first.hasShape() || !second.hasShape()) {
            return first.hasShape() ? one : other;
        }
        boolean fit = first.getShape().getDimCount() == second.getShape().getDimCount();
        ValueInfoProto.Builder both = one.toBuilder();
        for (int axis = 0; fit && axis < first.getShape().getDimCount(); axis++) {
            boolean fixed = second.getShape().getDim(axis).hasDimValue();
            fit = !fixed || !first.getShape().getDim(axis).hasDimValue()
                || first.getShape().getDim(axis).equals(second.getShape().getDim(axis));
            if (fixed) {
                both.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder()
                    .setDim(axis, second.getShape().getDim(axis));
            }
        }
        if (!fit) {
            throw new GraphException("input '" + one.getName() + "' has another shape in the graph '" + name
                + "' than in one that it is joined with");
        }
        return both.build();
    }

    /** The tensor that holds the sum of these. */
    private String sum(String member, ValueInfoProto input, List<String> sources) {
        String sum = sources.getFirst();
        for (int i = 1; i < sources.size(); i++) {
            // In no module, so that it is computed where it is read, and no cut makes it old.
            String node = "/sum_" + name(member, input.getName()).replaceFirst("^/", "").replace('/', '.') + "_" + i;
            nodes.add(NodeProto.newBuilder().setName(node).setOpType("Add").addInput(sum).addInput(sources.get(i))
                .addOutput(node + "_output_0").build());
            sum = node + "_output_0";
        }
        return sum;
    }

    /** The whole; outputs are those of the graph that was added last. */
    public Graph joined() {
        if (members.isEmpty()) {
            throw new IllegalStateException("nothing was added");
        }
        Graph last = members.getLast();
        Map<String, TensorProto> weights = new LinkedHashMap<>();
        Optional<Path> folder = folder();
        for (int i = 0; i < members.size(); i++) {
            Graph member = members.get(i);
            String name = names.get(i);
            member.weights().forEach((own, weight) -> weights.put(name(name, own),
                ExternalData.relativeTo(folder, member, weight).toBuilder().setName(name(name, own)).build()));
        }
        List<ValueInfoProto> made = last.outputs().stream().map(output -> outputs.get(name(names.getLast(),
            output.getName()))).toList();
        Graph whole = last.with(List.copyOf(inputs.values()), made, nodes, weights).withTypes(types);
        return folder.map(path -> whole.withWeights(path, weights)).orElse(whole);
    }

    /** The deepest folder that all members' folders are in. */
    private Optional<Path> folder() {
        Optional<Path> shared = Optional.empty();
        for (Graph member : members) {
            Optional<Path> own = member.folder().map(path -> path.toAbsolutePath().normalize());
            if (own.isPresent() && shared.isPresent()) {
                Path common = shared.get();
                while (common != null && !own.get().startsWith(common)) {
                    common = common.getParent();
                }
                if (common == null) {
                    throw new GraphException("the weights of graphs that are joined are on several drives, where "
                        + "engines do not find them; put them on one");
                }
                shared = Optional.of(common);
            } else if (own.isPresent()) {
                shared = own;
            }
        }
        return shared;
    }

    /**
     * A member's tensors and nodes under their names in the whole. They go through names that nothing has, so that an
     * input may be fed by what has the name of another of the member's tensors.
     */
    private static final class Renamed {
        private final String member;
        private final Map<String, String> fed;
        private final Renaming away = new Renaming();
        private final Renaming back = new Renaming();

        /** @param fed what is read in the place of each input */
        Renamed(String member, Graph graph, Map<String, String> fed) {
            this.member = member;
            this.fed = fed;
            Stream.of(graph.inputs().stream().map(ValueInfoProto::getName), graph.weights().keySet().stream(),
                graph.nodes().stream().flatMap(node -> Nodes.writes(node).stream())).flatMap(names -> names)
                .filter(own -> !tensor(own).equals(own)).forEach(own -> {
                    away.put(own, "\0" + own);
                    back.put("\0" + own, tensor(own));
                });
        }

        String tensor(String own) {
            return fed.getOrDefault(own, name(member, own));
        }

        NodeProto node(NodeProto node) {
            NodeProto renamed = back.apply(away.apply(node));
            return node.getName().isEmpty() ? renamed
                : renamed.toBuilder().setName(name(member, node.getName())).build();
        }
    }
}
