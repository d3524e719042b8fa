package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.TensorSizes;
import dev.slipstream.pipelines.graph.TopologicalOrder;
import dev.slipstream.pipelines.graph.cut.Spans.Span;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * A network as a chain of {@linkplain Pieces pieces}: what each costs, what runs of them read from others, and which
 * weights they need. What does not change with the latents belongs to no piece: it costs nothing, and its weights are
 * needed wherever it is read. Immutable.
 */
final class PieceChain {
    private final Graph graph;
    private final Map<NodeProto, Integer> pieces;
    private final Map<String, TensorType> types;
    private final int size;
    private final double[] loads;
    private final Spans tensors;
    private final Spans weights;

    /**
     * @param live without what no output needs
     * @param apart modules that are in no piece
     */
    PieceChain(Graph live, StepDependence dependence, ToDoubleFunction<NodeProto> cost, List<String> apart) {
        this.graph = live;
        this.types = ValueInfos.types(live);
        Set<NodeProto> members = Collections.newSetFromMap(new IdentityHashMap<>());
        live.nodes().stream().filter(dependence::changes).filter(node -> apart.stream()
            .noneMatch(module -> (ModulePath.of(node) + ".").startsWith(module + "."))).forEach(members::add);
        this.pieces = Pieces.of(live, members, cost, types);
        this.size = 1 + pieces.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
        this.loads = new double[size + 1];
        live.nodes().stream().filter(pieces::containsKey)
            .forEach(node -> loads[pieces.get(node) + 1] += cost.applyAsDouble(node));
        for (int piece = 0; piece < size; piece++) {
            loads[piece + 1] += loads[piece];
        }
        this.tensors = readTensors();
        this.weights = readWeights();
    }

    int size() {
        return size;
    }

    /** What the pieces from {@code start} up to {@code end}, exclusive, cost together. */
    double load(int start, int end) {
        return loads[end] - loads[start];
    }

    /** Bytes that runs of pieces read of others' tensors. */
    Spans tensors() {
        return tensors;
    }

    /** Bytes of the weights that runs of pieces need. */
    Spans weights() {
        return weights;
    }

    /**
     * Tensors that are made before a piece and read from it on, in the order of their makers. What is an output or
     * asked for its shape is among them: nothing else may need it.
     */
    List<String> alive(int piece) {
        List<String> alive = new ArrayList<>();
        graph.nodes().stream().filter(node -> pieces.getOrDefault(node, piece) < piece).forEach(node ->
            Nodes.writes(node).stream().filter(tensor -> readers(tensor).nextSetBit(piece) >= 0
                || graph.consumers(tensor).stream().anyMatch(StepDependence::asksOnlyForShape)
                || graph.outputs().stream().anyMatch(output -> output.getName().equals(tensor))).forEach(alive::add));
        return alive;
    }

    private Spans readTensors() {
        Map<Span, Long> spans = new HashMap<>();
        pieces.forEach((node, piece) -> Nodes.writes(node).forEach(tensor -> {
            BitSet readers = readers(tensor);
            readers.clear(0, piece + 1);
            if (!readers.isEmpty()) {
                spans.merge(new Span(piece, readers), bytes(types, tensor), Long::sum);
            }
        }));
        return new Spans(size, spans);
    }

    /** Bytes of a tensor; 1 where its type is not known. */
    static long bytes(Map<String, TensorType> types, String tensor) {
        TensorType type = types.get(tensor);
        return type == null ? 1 : type.bytes();
    }

    private BitSet readers(String tensor) {
        BitSet readers = new BitSet();
        graph.consumers(tensor).stream().filter(pieces::containsKey).forEach(node -> readers.set(pieces.get(node)));
        return readers;
    }

    private Spans readWeights() {
        Map<NodeProto, BitSet> needed = new IdentityHashMap<>();
        Map<Span, Long> spans = new HashMap<>();
        for (NodeProto node : graph.nodes().reversed()) {
            BitSet where = new BitSet();
            if (pieces.containsKey(node)) {
                where.set(pieces.get(node));
            } else {
                Nodes.writes(node).forEach(tensor -> graph.consumers(tensor).forEach(it -> where.or(needed.get(it))));
            }
            needed.put(node, where);
        }
        graph.weights().forEach((name, weight) -> {
            BitSet readers = new BitSet();
            graph.consumers(name).forEach(node -> readers.or(needed.get(node)));
            if (!readers.isEmpty()) {
                spans.merge(new Span(Spans.OUTSIDE, readers), Math.max(0, TensorSizes.bytes(weight)), Long::sum);
            }
        });
        return new Spans(size, spans);
    }

    /**
     * The pieces of a network that no cut goes through, in an order in which they run: residual blocks, attentions,
     * samplers, blocks of transformers. Large attentions of U-Nets are taken apart at sums of tokens, where few tensors
     * are alive. Residual blocks and blocks of transformers are not: what engines fuse inside rounds in another way
     * once it is cut.
     *
     * <p>Glue between modules, such as the concatenation of a skip, belongs to the first piece that reads it.
     */
    private static final class Pieces {
        /** A module with a larger part than this of the whole load is taken apart, into pieces of about this size. */
        private static final double FINEST = 1.0 / 128;
        /** Tokens are [rows, tokens, channels], or [rows * tokens, channels]; pictures have more dimensions. */
        private static final int RANK_OF_TOKENS = 3;

        private final Graph graph;
        private final Set<NodeProto> members;
        private final ToDoubleFunction<NodeProto> cost;
        private final Map<String, TensorType> types;
        private final Set<String> heavy = new HashSet<>();

        private Pieces(Graph graph, Set<NodeProto> members, ToDoubleFunction<NodeProto> cost,
            Map<String, TensorType> types) {
            this.graph = graph;
            this.members = members;
            this.cost = cost;
            this.types = types;
            members.stream().filter(Ownership::mustHaveOwner).map(Pieces::module).forEach(heavy::add);
            if (heavy.isEmpty()) {
                // A toy, all of whose modules do little: then each of them counts.
                members.stream().map(Pieces::module).filter(module -> !module.isEmpty()).forEach(heavy::add);
            }
        }

        /**
         * The piece of each node, counted from 0.
         *
         * @param members the nodes that are divided, by identity
         * @param types of the graph's tensors, as far as they are known
         */
        static Map<NodeProto, Integer> of(Graph graph, Set<NodeProto> members, ToDoubleFunction<NodeProto> cost,
            Map<String, TensorType> types) {
            return new Pieces(graph, members, cost, types).divided();
        }

        private static String module(NodeProto node) {
            String path = ModulePath.of(node);
            // Without module names each expensive node is one.
            return !path.isEmpty() ? ModulePath.unit(path) : Ownership.mustHaveOwner(node) ? node.getOutput(0) : "";
        }

        private boolean isGlue(NodeProto node) {
            return !heavy.contains(module(node));
        }

        private Map<NodeProto, Integer> divided() {
            List<NodeProto> order = order();
            Map<NodeProto, Integer> pieces = new IdentityHashMap<>();
            List<NodeProto> solid = order.stream().filter(node -> !isGlue(node)).toList();
            double finest = FINEST * solid.stream().mapToDouble(cost).sum();
            int piece = 0;
            for (int start = 0, end; start < solid.size(); start = end) {
                end = moduleEnd(solid, start);
                Set<Integer> inside = sums(solid.subList(start, end), finest);
                for (int place = start; place < end; place++) {
                    piece += inside.contains(place - start) ? 1 : 0;
                    pieces.put(solid.get(place), piece);
                }
                piece++;
            }
            int last = piece - 1;
            for (NodeProto node : order.reversed()) {
                if (isGlue(node) && last >= 0) {
                    pieces.put(node, readers(node).stream().mapToInt(pieces::get).min().orElse(last));
                }
            }
            return pieces;
        }

        private static int moduleEnd(List<NodeProto> solid, int start) {
            int end = start + 1;
            while (end < solid.size() && module(solid.get(end)).equals(module(solid.get(start)))) {
                end++;
            }
            return end;
        }

        /** Module after module: as long as one has nodes that can run, they come next; else the node of least depth. */
        private List<NodeProto> order() {
            List<NodeProto> byDepth = TopologicalOrder.byDepth(graph).stream().filter(members::contains).toList();
            Map<NodeProto, Integer> ranks = new IdentityHashMap<>();
            Map<NodeProto, Integer> waiting = new IdentityHashMap<>();
            for (int rank = 0; rank < byDepth.size(); rank++) {
                ranks.put(byDepth.get(rank), rank);
                waiting.put(byDepth.get(rank), (int) makers(byDepth.get(rank)).count());
            }
            TreeSet<Integer> ready = new TreeSet<>();
            Map<String, TreeSet<Integer>> readyOf = new HashMap<>();
            List<NodeProto> order = new ArrayList<>();
            byDepth.stream().filter(node -> waiting.get(node) == 0).forEach(node -> {
                ready.add(ranks.get(node));
                readyOf.computeIfAbsent(module(node), key -> new TreeSet<>()).add(ranks.get(node));
            });
            String module = "";
            while (!ready.isEmpty()) {
                TreeSet<Integer> here = readyOf.getOrDefault(module, ready);
                NodeProto node = byDepth.get((here.isEmpty() ? ready : here).first());
                module = module(node);
                ready.remove(ranks.get(node));
                readyOf.get(module).remove(ranks.get(node));
                order.add(node);
                readers(node).forEach(reader -> {
                    if (waiting.merge(reader, -1, Integer::sum) == 0) {
                        ready.add(ranks.get(reader));
                        readyOf.computeIfAbsent(module(reader), key -> new TreeSet<>()).add(ranks.get(reader));
                    }
                });
            }
            return order;
        }

        private Stream<NodeProto> makers(NodeProto node) {
            Set<NodeProto> makers = Collections.newSetFromMap(new IdentityHashMap<>());
            Nodes.reads(node).stream().map(graph::producer).flatMap(Optional::stream).filter(members::contains)
                .forEach(makers::add);
            return makers.stream();
        }

        private Set<NodeProto> readers(NodeProto node) {
            Set<NodeProto> readers = Collections.newSetFromMap(new IdentityHashMap<>());
            Nodes.writes(node).forEach(tensor -> graph.consumers(tensor).stream().filter(members::contains)
                .forEach(readers::add));
            return readers;
        }

        /** Places in a module at which a piece begins: right after sums of tokens, where the fewest bytes are alive. */
        private Set<Integer> sums(List<NodeProto> module, double finest) {
            Set<Integer> places = new HashSet<>();
            double[] before = new double[module.size() + 1];
            for (int place = 0; place < module.size(); place++) {
                before[place + 1] = before[place] + cost.applyAsDouble(module.get(place));
            }
            double begun = 0;
            double end = before[module.size()];
            boolean whole = !ModulePath.isPieceOfBlock(module(module.getFirst()));
            while (!whole && begun + 1.5 * finest < end) {
                int best = -1;
                for (int place = 1; place < module.size(); place++) {
                    double since = before[place] - begun;
                    if (since > finest / 2 && end - before[place] > finest / 2 && isSum(module.get(place - 1))) {
                        if (best < 0 || since <= 1.5 * finest && alive(module, place) < alive(module, best)) {
                            best = place;
                        }
                    }
                }
                if (best < 0) {
                    break;
                }
                places.add(best);
                begun = before[best];
            }
            return places;
        }

        private boolean isSum(NodeProto node) {
            TensorType type = types.get(node.getOutput(0));
            return node.getOpType().equals("Add") && type != null && type.shape().rank() <= RANK_OF_TOKENS;
        }

        private long alive(List<NodeProto> module, int place) {
            Set<NodeProto> later = Collections.newSetFromMap(new IdentityHashMap<>());
            later.addAll(module.subList(place, module.size()));
            return module.subList(0, place).stream().flatMap(node -> Nodes.writes(node).stream())
                .filter(tensor -> graph.consumers(tensor).stream().anyMatch(later::contains))
                .mapToLong(tensor -> types.containsKey(tensor) ? types.get(tensor).bytes() : 1).sum();
        }
    }
}
