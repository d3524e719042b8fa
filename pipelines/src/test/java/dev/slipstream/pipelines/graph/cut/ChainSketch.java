package dev.slipstream.pipelines.graph.cut;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * Modules one after another, each a convolution that also reads what some earlier ones made. What they cost, how large
 * their tensors and weights are is drawn by chance, in small numbers, so that many cuts are equally good. It cannot
 * run.
 */
final class ChainSketch {
    final Graph graph;
    final double[] costs;
    /** Elements, in float32. */
    final long[] elements;
    final long[] weights;
    /** Of each module, those whose tensors it reads. */
    final List<TreeSet<Integer>> reads = new ArrayList<>();

    ChainSketch(long seed, int modules) {
        Random random = new Random(seed);
        costs = random.ints(modules, 0, 6).asDoubleStream().toArray();
        elements = random.longs(modules, 1, 6).toArray();
        weights = random.longs(modules, 1, 5).toArray();
        GraphSketch sketch = new GraphSketch().input("sample", 1, 4).input("timestep", 1)
            .weight("common", new float[3], 3)
            .node("Gemm", "/time/Gemm", List.of("timestep", "common"), "temb");
        Map<String, TypeProto> types = new HashMap<>();
        for (int module = 0; module < modules; module++) {
            TreeSet<Integer> read = new TreeSet<>();
            if (module > 0) {
                read.add(module - 1);
                if (random.nextBoolean()) {
                    read.add(random.nextInt(module));
                }
            }
            reads.add(read);
            List<String> inputs = new ArrayList<>(read.stream().map(maker -> "t" + maker).toList());
            inputs.addAll(module == 0 ? List.of("sample", "temb") : List.of("temb"));
            inputs.add("w" + module);
            sketch.weight("w" + module, new float[(int) weights[module]], weights[module])
                .node("Conv", "/m." + module + "/Conv", inputs, "t" + module);
            types.put("t" + module, ValueInfos.of(new ValueType(ElementType.FLOAT32, Shape.of(elements[module]))));
        }
        graph = sketch.output("t" + (modules - 1), 1, 4).build().withTypes(types);
    }

    double cost(NodeProto node) {
        String module = ModulePath.of(node);
        return module.startsWith("m.") ? costs[Integer.parseInt(module.substring(2))] : 0;
    }

    /**
     * What an assignment of modules to devices means, counted module by module.
     *
     * @param again of devices how many modules from the first on they do again, if others do them
     */
    Figures figures(int[] devices, List<PartDevice> on, Map<Integer, Integer> again) {
        double slowest = 0;
        long all = 0;
        boolean fits = true;
        for (int device = 0; device < on.size(); device++) {
            double load = 0;
            long held = 3 * Float.BYTES;
            TreeSet<Integer> received = new TreeSet<>();
            TreeSet<Integer> done = new TreeSet<>();
            for (int module = 0; module < devices.length; module++) {
                if (devices[module] == device || module < again.getOrDefault(device, 0)) {
                    done.add(module);
                    load += costs[module];
                    held += weights[module] * Float.BYTES;
                    received.addAll(reads.get(module));
                }
            }
            received.removeAll(done);
            all += received.stream().mapToLong(maker -> elements[maker] * Float.BYTES).sum();
            slowest = Math.max(slowest, load / on.get(device).speed());
            fits &= held <= on.get(device).weightBytes();
        }
        return new Figures(slowest, all, fits);
    }

    record Figures(double slowest, long bytes, boolean fits) {
    }
}
