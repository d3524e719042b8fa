package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The first block of a denoiser: of a transformer the first of its numbered modules, of a U-Net the first layer of the
 * way down. What it adds to the stream that enters it tells how much a step differs from another.
 */
public final class FirstBlock {
    private static final List<String> FIRST_LAYER =
        List.of("down_blocks.0.resnets.0", "down_blocks.0.attentions.0", "down_blocks.0.motion_modules.0");
    /** What a stream goes through as it is, but for what is added. */
    private static final Set<String> PASSING = Set.of("Add", "Cast", "Identity", "Div");

    private record Stream(String entering, String leaving) {
    }

    private final Graph graph;
    private final StepDependence dependence;
    private final List<String> modules;

    private FirstBlock(Graph graph, Set<String> laggable) {
        this.graph = graph;
        this.dependence = new StepDependence(graph, laggable);
        this.modules = ShellCut.isPossible(graph) ? FIRST_LAYER : graph.nodes().stream().filter(dependence::changes)
            .map(node -> ModulePath.numbered(ModulePath.of(node))).flatMap(Optional::stream).limit(1).toList();
    }

    /**
     * The same graph, which also makes what its first block adds, in float32.
     *
     * @param laggable inputs of the graph that change from step to step through the latents
     * @param name of the tensor
     * @throws GraphException if there is no such block, or no telling which of its streams the picture is
     */
    public static Graph measured(Graph graph, Set<String> laggable, String name) {
        return new FirstBlock(graph, laggable).measured(name);
    }

    private Graph measured(String name) {
        Stream stream = stream();
        TensorType type = ValueInfos.types(graph).get(stream.leaving());
        boolean isWide = type.type() == DataType.FLOAT32;
        String difference = isWide ? name : name + "_narrow";
        String place = "/" + modules.getFirst() + "/";
        List<NodeProto> nodes = new ArrayList<>(graph.nodes());
        nodes.add(NodeProto.newBuilder().setName(place + difference).setOpType("Sub").addInput(stream.leaving())
            .addInput(stream.entering()).addOutput(difference).build());
        if (!isWide) {
            nodes.add(NodeProto.newBuilder().setName(place + name).setOpType("Cast").addInput(difference)
                .addOutput(name).addAttribute(AttributeProto.newBuilder().setName("to")
                    .setType(AttributeProto.AttributeType.INT).setI(TensorProto.DataType.FLOAT_VALUE)).build());
        }
        List<ValueInfoProto> outputs = new ArrayList<>(graph.outputs());
        ValueInfoProto output = ValueInfos.of(name, new TensorType(DataType.FLOAT32, type.shape()));
        outputs.add(output);
        Map<String, TypeProto> types = new HashMap<>(graph.types());
        types.put(difference, ValueInfos.of(difference, type).getType());
        types.put(name, output.getType());
        return graph.with(graph.inputs(), outputs, nodes, graph.weights()).withTypes(types);
    }

    private Stream stream() {
        Map<String, TensorType> types = ValueInfos.types(graph);
        List<Stream> alike = new ArrayList<>();
        for (String entering : crossing(false)) {
            for (String leaving : crossing(true)) {
                if (types.get(entering) != null && types.get(entering).equals(types.get(leaving))) {
                    alike.add(new Stream(entering, leaving));
                }
            }
        }
        if (alike.size() > 1) {
            alike.removeIf(stream -> !passes(stream));
        }
        if (alike.size() != 1) {
            throw new GraphException("nothing can be decided by the first block of this denoiser, as "
                + (modules.isEmpty() ? "it has no numbered blocks" : "what goes through " + modules.getFirst()
                    + " is not one stream to which it adds") + "; take a cache that runs every so many steps");
        }
        return alike.getFirst();
    }

    /** What changes with the latents and is made on one side of the block's bounds and read on the other. */
    private Set<String> crossing(boolean leaving) {
        Set<String> tensors = new LinkedHashSet<>();
        graph.nodes().stream().filter(node -> isInside(node) != leaving).forEach(node -> Nodes.reads(node).stream()
            .filter(tensor -> dependence.changes(tensor)
                && graph.producer(tensor).map(maker -> isInside(maker) == leaving).orElse(false))
            .forEach(tensors::add));
        return tensors;
    }

    private boolean isInside(NodeProto node) {
        String path = ModulePath.of(node);
        return modules.stream().anyMatch(module -> path.equals(module) || path.startsWith(module + "."));
    }

    private boolean passes(Stream stream) {
        Deque<String> open = new ArrayDeque<>(List.of(stream.leaving()));
        Set<String> seen = new HashSet<>();
        while (!open.isEmpty()) {
            String tensor = open.pop();
            if (tensor.equals(stream.entering())) {
                return true;
            }
            graph.producer(tensor).filter(maker -> isInside(maker) && PASSING.contains(maker.getOpType()))
                .ifPresent(maker -> Nodes.reads(maker).stream().filter(seen::add).forEach(open::push));
        }
        return false;
    }
}
