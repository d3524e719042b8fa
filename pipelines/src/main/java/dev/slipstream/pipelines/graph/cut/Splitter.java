package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.pipelines.graph.ElementTypes;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.TopologicalOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * Cuts a graph into convex segments.
 *
 * <p>A node that does not depend on the latents (time embedding, keys and values of the text, casts of weights) is
 * replicated into every segment that uses it, so such values never lag. So is glue between modules, such as the
 * concatenation of a skip, which therefore sees values of its own component fresh, as in AsyncDiff (arXiv 2406.06911).
 * All else belongs to one component, and a component that is not convex becomes several segments. What others would
 * read of it they may do again for themselves, as a {@link TensorCut} says; it is owned as before.
 *
 * <p>The segments do not depend on the order in which an exporter wrote the nodes.
 */
public final class Splitter {
    private final Graph live;
    private final StepDependence dependence;
    private final Ownership ownership;
    private final ConvexAssignment assignment;
    private final ElementTypes elementTypes;
    private final Map<String, ValueInfoProto> declared = new HashMap<>();

    private Splitter(Graph live, StepDependence dependence, Ownership ownership) {
        this.live = live;
        this.dependence = dependence;
        this.ownership = ownership;
        this.assignment = new ConvexAssignment(live, ownership);
        this.elementTypes = new ElementTypes(live);
        live.outputs().forEach(output -> declared.put(output.getName(), output));
    }

    /**
     * Cuts by modules.
     *
     * @param laggable inputs of the graph that change from step to step through the latents, normally {@code sample};
     *     the timestep and the conditioning are not among them
     * @throws GraphException if a prefix matches no node, a component would be empty, or an expensive node belongs to
     *     none
     */
    public static Partition split(Graph graph, Cut cut, Set<String> laggable) {
        return split(graph, laggable, (live, dependence) -> Ownership.byModules(live, dependence, cut));
    }

    /**
     * Cuts in several ways at once: each component of a division as those after it say. With {@code n} components in
     * the last one, component {@code i} of the first and {@code j} of the last is {@code i * n + j}.
     *
     * @throws GraphException as {@link #split(Graph, Cut, Set)}
     */
    public static Partition splitCrossing(Graph graph, List<? extends Division> divisions, Set<String> laggable) {
        return split(graph, laggable, (live, dependence) -> divisions.stream()
            .map(division -> Ownership.of(live, dependence, division)).reduce(Ownership::crossedBy).orElseThrow());
    }

    /**
     * Cuts at tensors: component k is what the tensors {@code ends.get(k)} need and no earlier component has, and one
     * more component is the rest.
     *
     * @throws GraphException if no node makes such a tensor, or a component would be empty
     */
    public static Partition split(Graph graph, List<List<String>> ends, Set<String> laggable) {
        return split(graph, laggable, (live, dependence) -> Ownership.byTensors(live, dependence, ends, List.of()));
    }

    /**
     * Cuts modules off, each by itself, such as ControlNets that are joined with a model; all else is component 0.
     *
     * @param modules of which the first is component -1, the next -2 and so on, as those that a {@link Cut} has in no
     *     component
     */
    public static Partition splitOff(Graph graph, List<String> modules, Set<String> laggable) {
        return split(graph, laggable, (live, dependence) -> Ownership.apart(live, dependence, modules));
    }

    private static Partition split(Graph graph, Set<String> laggable,
        BiFunction<Graph, StepDependence, Ownership> owners) {
        Graph live = GraphPruner.prune(graph);
        StepDependence dependence = new StepDependence(live, laggable);
        return new Partition(graph, new Splitter(live, dependence, owners.apply(live, dependence)).segments());
    }

    private List<Segment> segments() {
        List<Contents> all = contents();
        Map<Integer, Integer> pieces = new HashMap<>();
        all.forEach(contents -> pieces.merge(contents.component(), 1, Integer::sum));
        Map<Integer, Integer> named = new HashMap<>();
        List<Segment> segments = new ArrayList<>();
        for (Contents contents : all) {
            int component = contents.component();
            int piece = named.merge(component, 1, Integer::sum) - 1;
            String name = ownership.label(component) + (pieces.get(component) > 1 ? "." + piece : "");
            segments.add(new Segment(name, component, graph(contents)));
        }
        return segments;
    }

    private List<Contents> contents() {
        Map<Integer, Contents> byNumber = new LinkedHashMap<>();
        assignment.runOrder().forEach(number -> byNumber.put(number, new Contents(number)));
        for (NodeProto node : TopologicalOrder.byDepth(live)) {
            assignment.segment(node).ifPresent(number -> byNumber.get(number).add(node));
        }
        Map<String, Contents> makers = new LinkedHashMap<>();
        for (ValueInfoProto output : live.outputs()) {
            NodeProto node = live.producer(output.getName()).orElseThrow(() -> new GraphException("output '"
                + output.getName() + "' of the graph is made by no node, so it belongs to no segment"));
            Contents maker = byNumber.get(assignment.outputSegment(node));
            maker.add(node);
            makers.put(output.getName(), maker);
        }
        List<Contents> complete = new ArrayList<>();
        for (Contents contents : byNumber.values()) {
            contents.complete(complete);
            complete.add(contents);
        }
        addOutputs(complete, makers);
        // All that one makes may be done again where it is read.
        complete.removeIf(contents -> contents.outputs.isEmpty());
        return complete;
    }

    /** What other segments read, and the outputs of the whole, if they are not among that. */
    private static void addOutputs(List<Contents> segments, Map<String, Contents> makers) {
        Set<String> read = new HashSet<>();
        segments.forEach(segment -> read.addAll(segment.inputs));
        segments.forEach(segment -> segment.own.stream().filter(read::contains).forEach(segment.outputs::add));
        makers.forEach((output, maker) -> {
            if (segments.stream().noneMatch(segment -> segment.outputs.contains(output))) {
                maker.outputs.add(output);
            }
        });
    }

    private Graph graph(Contents contents) {
        List<NodeProto> nodes = live.nodes().stream().filter(contents.nodes::contains).toList();
        Map<String, TensorProto> weights = new LinkedHashMap<>();
        for (NodeProto node : nodes) {
            for (String tensor : Nodes.reads(node)) {
                if (live.weights().containsKey(tensor)) {
                    weights.put(tensor, live.weights().get(tensor));
                }
            }
        }
        return GraphPruner.prune(live.with(inOrder(contents.inputs), inOrder(contents.outputs), nodes, weights));
    }

    /** Inputs of the whole graph as it lists them, then what nodes make, in their order. */
    private List<ValueInfoProto> inOrder(Set<String> tensors) {
        List<ValueInfoProto> sorted = new ArrayList<>();
        live.inputs().stream().filter(input -> tensors.contains(input.getName())).forEach(sorted::add);
        live.nodes().stream().flatMap(node -> Nodes.writes(node).stream()).filter(tensors::contains)
            .map(this::describe).forEach(sorted::add);
        return sorted;
    }

    /** Engines need an element type of every input; a shape is given only where it is known. */
    private ValueInfoProto describe(String tensor) {
        TypeProto.Tensor unknown = TypeProto.Tensor.newBuilder().setElemType(elementTypes.of(tensor)).build();
        TypeProto type = live.types().getOrDefault(tensor, TypeProto.newBuilder().setTensorType(unknown).build());
        return declared.getOrDefault(tensor, ValueInfoProto.newBuilder().setName(tensor).setType(type).build());
    }

    /** What one segment consists of: its own nodes, replicas of nodes without an owner, inputs and outputs. */
    private final class Contents {
        final Set<NodeProto> nodes = Collections.newSetFromMap(new IdentityHashMap<>());
        final Set<String> inputs = new HashSet<>();
        final Set<String> outputs = new HashSet<>();
        /** Tensors of the nodes that belong to this segment and are no replicas. */
        final Set<String> own = new HashSet<>();
        private final int number;
        private final Set<String> made = new HashSet<>();
        private final Deque<NodeProto> open = new ArrayDeque<>();
        private final LinkedHashSet<NodeProto> shapes = new LinkedHashSet<>();

        Contents(int number) {
            this.number = number;
        }

        int component() {
            return assignment.component(number);
        }

        private boolean has(String tensor) {
            return made.contains(tensor) || inputs.contains(tensor);
        }

        void add(NodeProto node) {
            if (nodes.add(node)) {
                made.addAll(Nodes.writes(node));
                open.add(node);
                if (assignment.segment(node).equals(OptionalInt.of(number))) {
                    own.addAll(Nodes.writes(node));
                }
            }
        }

        /**
         * Adds all that the nodes need. A shape of a changing tensor comes from the tensor if the segment has it, else
         * from an earlier segment that has it, so that nothing waits for a whole tensor only to know its shape.
         *
         * @param earlier the segments that run before this one, complete
         */
        void complete(List<Contents> earlier) {
            while (!open.isEmpty() || !shapes.isEmpty()) {
                if (open.isEmpty()) {
                    addShape(shapes.removeFirst(), earlier);
                } else {
                    Nodes.reads(open.removeFirst()).forEach(this::need);
                }
            }
        }

        private void need(String tensor) {
            if (has(tensor) || live.weights().containsKey(tensor)) {
                return;
            }
            Optional<NodeProto> maker = live.producer(tensor);
            if (maker.isEmpty()) {
                inputs.add(tensor);
            } else if (isShapeOfChanging(maker.get())) {
                shapes.add(maker.get());
            } else {
                OptionalInt owner = assignment.segment(maker.get());
                if (owner.isPresent() && owner.getAsInt() != number
                    && !ownership.isRepeated(maker.get(), component())) {
                    inputs.add(tensor);
                } else {
                    add(maker.get());
                }
            }
        }

        private boolean isShapeOfChanging(NodeProto node) {
            return StepDependence.asksOnlyForShape(node) && dependence.changes(node.getInput(0));
        }

        private void addShape(NodeProto shape, List<Contents> earlier) {
            Optional<Contents> other = has(shape.getInput(0)) ? Optional.empty()
                : earlier.stream().filter(segment -> segment.has(shape.getInput(0))).findFirst();
            if (other.isPresent()) {
                other.get().add(shape);
                other.get().outputs.add(shape.getOutput(0));
                inputs.add(shape.getOutput(0));
            } else {
                add(shape);
            }
        }
    }

    /**
     * Divides components into convex segments, as few as it can: each node, in an order in which nodes can run, joins
     * the first segment of its component that does not make segments wait for each other in a circle, else opens a new
     * one.
     *
     * <p>Nodes are walked by depth, so that the result does not depend on the order in which an exporter wrote
     * independent nodes. Dependences through nodes without an owner count, as those are replicated into the segments
     * that read them.
     */
    private static final class ConvexAssignment {
        private final List<Integer> components = new ArrayList<>();
        /** Per segment all that run after it. */
        private final List<BitSet> later = new ArrayList<>();
        private final Map<NodeProto, Integer> segments = new IdentityHashMap<>();
        /** Per node the segments that must have run before what it makes can be read. */
        private final Map<NodeProto, BitSet> waitsFor = new IdentityHashMap<>();

        ConvexAssignment(Graph graph, Ownership ownership) {
            for (NodeProto node : TopologicalOrder.byDepth(graph)) {
                BitSet from = new BitSet();
                for (String tensor : Nodes.reads(node)) {
                    graph.producer(tensor).ifPresent(maker -> from.or(waitsFor.get(maker)));
                }
                ownership.owner(node).ifPresent(component -> {
                    int segment = place(component, from);
                    segments.put(node, segment);
                    from.set(segment);
                });
                waitsFor.put(node, from);
            }
        }

        /**
         * The segment of a component for a node that waits for others; the order of all segments is brought up to date.
         */
        private int place(int component, BitSet from) {
            int segment = 0;
            while (segment < components.size()
                && (components.get(segment) != component || later.get(segment).intersects(from))) {
                segment++;
            }
            if (segment == components.size()) {
                components.add(component);
                later.add(new BitSet());
            }
            BitSet reached = (BitSet) later.get(segment).clone();
            reached.set(segment);
            for (int before = 0; before < size(); before++) {
                if (before != segment && (from.get(before) || later.get(before).intersects(from))) {
                    later.get(before).or(reached);
                }
            }
            return segment;
        }

        int size() {
            return components.size();
        }

        int component(int segment) {
            return components.get(segment);
        }

        /** The segment of a node; empty for nodes without an owner. */
        OptionalInt segment(NodeProto node) {
            Integer segment = segments.get(node);
            return segment == null ? OptionalInt.empty() : OptionalInt.of(segment);
        }

        /** The segment that makes an output of the graph: the node's own, or the last of those it takes values from. */
        int outputSegment(NodeProto node) {
            return segment(node).orElseGet(() -> {
                List<Integer> order = runOrder();
                return order.reversed().stream().filter(waitsFor.get(node)::get).findFirst().orElse(order.getLast());
            });
        }

        /** Segments in an order in which they can run. */
        List<Integer> runOrder() {
            List<Integer> order = new ArrayList<>();
            BitSet open = new BitSet();
            open.set(0, size());
            while (!open.isEmpty()) {
                int next = open.stream().filter(segment -> open.stream()
                    .noneMatch(before -> later.get(before).get(segment))).findFirst().orElseThrow();
                open.clear(next);
                order.add(next);
            }
            return order;
        }
    }
}
