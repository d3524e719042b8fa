package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * A graph that can run, grown by chance: elementwise operators, matrix products, concatenations, questions for shapes,
 * over tensors of 4×4. Node {@code /c2/...} is in module c2; nodes without a module are glue.
 */
final class RandomGraph {
    static final Set<String> LAGGABLE = Set.of("sample");
    private static final int SIDE = 4;

    private final GraphSketch sketch = new GraphSketch();
    private final List<String> tensors = new ArrayList<>(List.of("sample", "time", "w"));
    private final Random random;
    private int count;

    private RandomGraph(long seed) {
        this.random = new Random(seed);
    }

    /** @param ordered whether modules follow each other, so that each is convex */
    static Graph of(long seed, int nodes, int components, boolean ordered) {
        return new RandomGraph(seed).grow(nodes, components, ordered);
    }

    private Graph grow(int nodes, int components, boolean ordered) {
        sketch.input("sample", SIDE, SIDE).input("time", SIDE, SIDE).weight("w", values(SIDE * SIDE), SIDE, SIDE)
            .weight("wide", values(2 * SIDE * SIDE), SIDE, 2 * SIDE);
        for (int i = 0; i < nodes; i++) {
            int component = ordered ? i * components / nodes : random.nextInt(components);
            addNode(random.nextInt(6) == 0 ? "" : "/c" + component);
        }
        // What no node reads is an output, so nothing is dead.
        Set<String> unread = new TreeSet<>(tensors);
        sketch.nodes().forEach(node -> node.getInputList().forEach(unread::remove));
        unread.removeAll(Set.of("sample", "time", "w"));
        unread.forEach(tensor -> sketch.output(tensor, SIDE, SIDE));
        return sketch.shuffled(random).build();
    }

    /** The same graph with its nodes in another order in which they can run. */
    static Graph shuffled(Graph graph, long seed) {
        List<NodeProto> waiting = new ArrayList<>(graph.nodes());
        Set<String> missing = new HashSet<>();
        waiting.forEach(node -> missing.addAll(node.getOutputList()));
        List<NodeProto> sorted = new ArrayList<>();
        Random random = new Random(seed);
        while (!waiting.isEmpty()) {
            List<NodeProto> ready = waiting.stream()
                .filter(node -> node.getInputList().stream().noneMatch(missing::contains)).toList();
            NodeProto next = ready.get(random.nextInt(ready.size()));
            waiting.remove(next);
            missing.removeAll(next.getOutputList());
            sorted.add(next);
        }
        return graph.with(graph.inputs(), graph.outputs(), sorted, graph.weights());
    }

    private void addNode(String module) {
        String out = "t" + count++;
        String a = read();
        String b = read();
        switch (random.nextInt(8)) {
            case 0 -> node("Add", module, out, a, b);
            case 1 -> node("Mul", module, out, a, b);
            case 2 -> node("Sub", module, out, a, b);
            case 3 -> node("Tanh", module, out, a);
            case 4 -> node("Sigmoid", module, out, a);
            case 5 -> node(module.isEmpty() ? "Max" : "MatMul", module, out, a, b);
            case 6 -> {
                if (module.isEmpty()) {
                    node("Min", module, out, a, b);
                } else {
                    sketch.node("Concat", "/Concat_" + out, List.of(a, b), out + ".pair",
                        GraphSketch.integer("axis", 0));
                    node("MatMul", module, out, "wide", out + ".pair");
                }
            }
            default -> {
                sketch.node("Shape", "/Shape_" + out, List.of(a), out + ".shape");
                node("Reshape", module, out, b, out + ".shape");
            }
        }
        tensors.add(out);
    }

    private void node(String op, String module, String out, String... inputs) {
        sketch.node(op, module + "/" + op + "_" + out, List.of(inputs), out);
    }

    /** Recent tensors more often than old ones, so that the graph becomes deep. */
    private String read() {
        int back = Math.min(random.nextInt(tensors.size()), random.nextInt(tensors.size()));
        return tensors.get(tensors.size() - 1 - back);
    }

    /** The modules that have something to do, each a component. */
    static Cut cut(Graph graph) {
        StepDependence dependence = new StepDependence(graph, LAGGABLE);
        Set<String> modules = new TreeSet<>();
        graph.nodes().stream().filter(dependence::changes).map(ModulePath::of).forEach(modules::add);
        modules.remove("");
        return new Cut("random", modules.stream().map(List::of).toList());
    }

    static boolean hasWork(Graph graph) {
        StepDependence dependence = new StepDependence(graph, LAGGABLE);
        return graph.nodes().stream().anyMatch(node -> dependence.changes(node) && !ModulePath.of(node).isEmpty());
    }

    private float[] values(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian() / 2;
        }
        return values;
    }

    static Map<String, OnnxTensor> inputs(long seed, OnnxRunner runner) throws OrtException {
        RandomGraph values = new RandomGraph(seed);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("sample", runner.tensor(values.values(SIDE * SIDE), SIDE, SIDE));
        inputs.put("time", runner.tensor(values.values(SIDE * SIDE), SIDE, SIDE));
        return inputs;
    }
}
