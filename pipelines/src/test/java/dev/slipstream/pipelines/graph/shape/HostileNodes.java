package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.StaticGraph;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.run.EngineRunner;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Nodes as no exporter writes them, to ONNX Runtime: each is refused, cannot be built, or runs. This is a process of
 * its own, as a node that does neither ends it.
 */
final class HostileNodes {
    /** Larger ones are refused where memory is counted, before an engine is built. */
    private static final long MOST_BYTES = 16 << 20;
    private static final Set<String> LISTS = Set.of("axes", "perm", "pads", "strides", "dilations", "kernel_shape",
        "split", "output_padding", "output_shape");
    private static final List<String> WINDOW = List.of("pads", "strides", "dilations", "kernel_shape");
    private static final List<String> POOL = List.of("pads", "strides", "dilations", "kernel_shape", "ceil_mode",
        "count_include_pad", "storage_order");
    private static final List<String> REDUCTION = List.of("axes", "keepdims", "noop_with_empty_axes");
    /** The attributes that an operator looks at; those not listed here have an axis, if any. */
    private static final Map<String, List<String>> ATTRIBUTES = Map.ofEntries(entry("Conv", WINDOW, "group"),
        entry("ConvTranspose", WINDOW, "group", "output_padding", "output_shape"), entry("MaxPool", POOL),
        entry("AveragePool", POOL), entry("LpPool", POOL, "p"), entry("Split", List.of("axis", "split", "num_outputs")),
        entry("Transpose", List.of("perm")), entry("Squeeze", List.of("axes")), entry("Unsqueeze", List.of("axes")),
        entry("DepthToSpace", List.of("blocksize")), entry("SpaceToDepth", List.of("blocksize")),
        entry("GroupNormalization", List.of("num_groups", "stash_type")), entry("GatherND", List.of("batch_dims")),
        entry("TopK", List.of("axis", "largest", "sorted")), entry("CumSum", List.of("exclusive", "reverse")),
        entry("Gemm", List.of("transA", "transB")), entry("Trilu", List.of("upper")), entry("EyeLike", List.of("k",
        "dtype")), entry("Cast", List.of("to")), entry("Resize", List.of("axes", "antialias", "exclude_outside")),
        entry("LayerNormalization", List.of("axis", "stash_type")), entry("Shape", List.of("start", "end")),
        entry("Reshape", List.of("allowzero")), entry("Mod", List.of("fmod")), entry("RandomNormalLike",
        List.of("dtype")));

    private static Map.Entry<String, List<String>> entry(String operator, List<String> attributes, String... more) {
        return Map.entry(operator, Stream.concat(attributes.stream(), Stream.of(more)).toList());
    }

    private static final long[] EXTREMES = {Long.MIN_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MIN_VALUE,
        1L << 31, 1L << 32, 1L << 40, (1L << 32) + 1, -(1L << 32)};

    private final List<ModelProto> seeds = Stream.of(ComputingRulesTest.elementwise(),
        ComputingRulesTest.normalizations(), ComputingRulesTest.convolutions(), ComputingRulesTest.pooling(),
        ComputingRulesTest.resizing(), ComputingRulesTest.products(), ComputingRulesTest.reductions(),
        MovingRulesTest.layout(), MovingRulesTest.joining(), MovingRulesTest.indexing(), MovingRulesTest.generators())
        .flatMap(cases -> cases).map(OperatorCase::model).toList();
    private int refused;
    private int unbuilt;
    private int failed;
    private int ran;

    private HostileNodes() {
    }

    /** @param bounds number of the first node, and of the one after the last; each is printed before it is tried */
    public static void main(String[] bounds) {
        HostileNodes nodes = new HostileNodes();
        try (Device device = Devices.discover().open(DeviceSpec.parse("cpu"))) {
            for (int number = Integer.parseInt(bounds[0]); number < Integer.parseInt(bounds[1]); number++) {
                ModelProto model = nodes.damaged(new Random(number));
                System.out.println(number + ": " + model.getGraph().getNode(0).toString().replaceAll("\\s+", " ")
                    + model.getGraph().getInputList().toString().replaceAll("\\s+", " ")
                    + model.getGraph().getInitializerList().toString().replaceAll("\\s+", " "));
                nodes.use(model, device);
            }
        }
        System.out.println("refused " + nodes.refused + ", not built " + nodes.unbuilt + ", failed " + nodes.failed
            + ", ran " + nodes.ran);
    }

    private ModelProto damaged(Random random) {
        ModelProto seed = seeds.get(random.nextInt(seeds.size()));
        GraphProto.Builder graph = seed.getGraph().toBuilder();
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
            NodeProto.Builder node = graph.getNodeBuilder(0);
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    String operator = node.getOpType();
                    List<String> names = operator.startsWith("Reduce") ? REDUCTION
                        : ATTRIBUTES.getOrDefault(operator, List.of("axis"));
                    set(node, random, names.get(random.nextInt(names.size())));
                }
                case 2 -> {
                    if (graph.getInputCount() > 0) {
                        resize(graph.getInputBuilder(random.nextInt(graph.getInputCount())), random);
                    }
                }
                default -> {
                    if (graph.getInitializerCount() > 0) {
                        int at = random.nextInt(graph.getInitializerCount());
                        if (isIntegers(graph.getInitializer(at))) {
                            graph.setInitializer(at, changed(graph.getInitializer(at), random));
                        }
                    }
                }
            }
        }
        return seed.toBuilder().setGraph(graph).build();
    }

    private static boolean isIntegers(TensorProto tensor) {
        return tensor.getDataType() == TensorProto.DataType.INT64_VALUE;
    }

    private static TensorProto changed(TensorProto old, Random random) {
        long[] dims = old.getDimsList().stream().mapToLong(Long::longValue).toArray();
        if (dims.length == 1 && random.nextInt(3) == 0) {
            dims[0] = random.nextInt(6);
        }
        long[] values = random.longs(Arrays.stream(dims).reduce(1, (a, b) -> a * b), 0, 2).map(any -> number(random))
            .toArray();
        return Value.integers(ElementType.INT64, dims, values).proto(old.getName());
    }

    private static void resize(ValueInfoProto.Builder input, Random random) {
        TensorShapeProto.Builder shape = input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        if (shape.getDimCount() > 0 && random.nextInt(4) > 0) {
            shape.getDimBuilder(random.nextInt(shape.getDimCount())).setDimValue(random.nextInt(10));
        } else if (shape.getDimCount() > 0 && random.nextBoolean()) {
            shape.removeDim(random.nextInt(shape.getDimCount()));
        } else {
            shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(random.nextInt(4)));
        }
    }

    private static void set(NodeProto.Builder node, Random random, String name) {
        for (int i = node.getAttributeCount() - 1; i >= 0; i--) {
            if (node.getAttribute(i).getName().equals(name)) {
                node.removeAttribute(i);
            }
        }
        AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name);
        if (LISTS.contains(name)) {
            attribute.setType(AttributeProto.AttributeType.INTS);
            for (int count = random.nextInt(5); count > 0; count--) {
                attribute.addInts(number(random));
            }
        } else {
            attribute.setType(AttributeProto.AttributeType.INT).setI(number(random));
        }
        node.addAttribute(attribute);
    }

    private static long number(Random random) {
        return random.nextInt(6) == 0 ? EXTREMES[random.nextInt(EXTREMES.length)] : random.nextInt(-3, 6);
    }

    private void use(ModelProto model, Device device) {
        StaticGraph fixed;
        Map<String, TensorType> types;
        try {
            Graph graph = GraphProtos.read(model, Optional.empty());
            types = InputTypes.of(graph, Map.of());
            fixed = StaticGraph.fix("hostile", graph, types);
            if (Activations.peakBytes(fixed.graph(), ValueInfos.types(fixed.graph())) > MOST_BYTES) {
                refused++;
                return;
            }
        } catch (GraphException bad) {
            refused++;
            return;
        }
        try (EngineRunner runner = fixed.build(device); Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> inputs = new LinkedHashMap<>();
            types.forEach((name, type) -> inputs.put(name, arena.allocate(Math.max(1, type.bytes()), 64)
                .asSlice(0, type.bytes())));
            try {
                runner.run(inputs, arena);
                ran++;
            } catch (DeviceException bad) {
                failed++;
            }
        } catch (DeviceException | IllegalArgumentException bad) {
            // The latter where ONNX Runtime gives an output another shape than we do.
            unbuilt++;
        }
    }
}
