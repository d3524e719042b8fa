package dev.slipstream.bridge.tensorrt.abi;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.slipstream.bridge.Shape;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The building half of the fake. An engine is a text that lists the graph's inputs and outputs; the parser refuses
 * operators called {@code NoSuchOperator}.
 */
public final class FakeBuilding {
    /** What freed memory is filled with, as with {@code MALLOC_PERTURB_}. */
    private static final int FREED = 0xA5;

    /** ONNX's numbers of element types, by TensorRT's. */
    private static final Map<Integer, Integer> TYPES = Map.of(1, 0, 10, 1, 6, 3, 9, 4, 16, 7, 7, 8, 2, 5);

    public static final class Tensor {
        final String name;
        final int type;
        final List<String> dimensionNames;
        Shape shape;
        MemorySegment address;

        Tensor(ValueInfoProto value) {
            TensorShapeProto proto = value.getType().getTensorType().getShape();
            name = value.getName();
            type = TYPES.get(value.getType().getTensorType().getElemType());
            dimensionNames = proto.getDimList().stream().map(TensorShapeProto.Dimension::getDimParam).toList();
            shape = Shape.of(proto.getDimList().stream().mapToLong(dim -> dim.hasDimValue() ? dim.getDimValue() : -1)
                .toArray());
        }
    }

    /** The state of an object whose end concerns others. */
    public interface Mortal {
        void end(FakeTensorRt fake);
    }

    public static final class Network {
        final int flags;
        final List<MemorySegment> weights = new ArrayList<>();
        final List<Tensor> inputs = new ArrayList<>();
        final List<Tensor> outputs = new ArrayList<>();

        Network(int flags) {
            this.flags = flags;
        }
    }

    /** The parser copies weights, and what it copied ends with it. */
    public static final class Parsing implements Mortal {
        final Network network;
        final List<MemorySegment> errors = new ArrayList<>();
        final List<MemorySegment> weights = new ArrayList<>();

        private Parsing(Network network) {
            this.network = network;
        }

        @Override
        public void end(FakeTensorRt fake) {
            weights.forEach(copy -> copy.fill((byte) FREED));
        }
    }

    public static Parsing parsing(FakeObject network) {
        return new Parsing(network.as(Network.class));
    }

    public record Problem(int code, String description, int node, String name, String operator) {
    }

    public static final class Config implements Mortal {
        final Set<Integer> flags = new HashSet<>();
        final List<Profile> profiles = new ArrayList<>();
        int level = -1;
        long workspace = -1;
        MemorySegment monitor = MemorySegment.NULL;
        Cache cache;

        @Override
        public void end(FakeTensorRt fake) {
            cache = null;
        }
    }

    public static final class Profile {
        final Map<String, Map<Integer, Shape>> shapes = new HashMap<>();
    }

    public static final class Cache implements Mortal {
        byte[] bytes;
        Config user;

        @Override
        public void end(FakeTensorRt fake) {
            if (user != null && user.cache == this) {
                fake.broken("a timing cache was deleted before the configuration that uses it");
            }
        }
    }

    private final FakeTensorRt fake;

    FakeBuilding(FakeTensorRt fake) {
        this.fake = fake;
    }

    public void install() {
        fake.when(Method.CREATE_NETWORK, (self, a) -> fake.make(CppClass.NETWORK, new Network((int) a[0]), self));
        fake.when(Method.CREATE_CONFIG, (self, a) -> fake.make(CppClass.CONFIG, new Config(), self));
        fake.when(Method.CREATE_PROFILE, (self, a) -> fake.make(CppClass.PROFILE, new Profile(), self));
        fake.when(Method.BUILD_ENGINE, (self, a) -> build(fake.at(a[0]).as(Network.class), config(fake.at(a[1]))));

        fake.when(Method.SET_FLAG, (self, a) -> config(self).flags.add((int) a[0]));
        fake.when(Method.CLEAR_FLAG, (self, a) -> config(self).flags.add(-(int) a[0]));
        fake.when(Method.ADD_PROFILE, (self, a) -> {
            config(self).profiles.add(fake.at(a[0]).as(Profile.class));
            return config(self).profiles.size() - 1;
        });
        fake.when(Method.SET_OPTIMIZATION_LEVEL, (self, a) -> config(self).level = (int) a[0]);
        fake.when(Method.SET_MEMORY_LIMIT, (self, a) -> config(self).workspace = (long) a[1]);
        fake.when(Method.SET_PROGRESS_MONITOR, (self, a) -> config(self).monitor = (MemorySegment) a[0]);
        fake.when(Method.CREATE_TIMING_CACHE, (self, a) -> {
            Cache cache = new Cache();
            cache.bytes = ((MemorySegment) a[0]).reinterpret((long) a[1]).toArray(ValueLayout.JAVA_BYTE);
            return fake.make(CppClass.TIMING_CACHE, cache, null);
        });
        fake.when(Method.SET_TIMING_CACHE, (self, a) -> {
            Cache cache = fake.at(a[0]).as(Cache.class);
            boolean taken = cache.bytes.length == 0 || cache.bytes[0] == 'T';
            if (taken) {
                config(self).cache = cache;
                cache.user = config(self);
            }
            return taken;
        });
        fake.when(Method.SERIALIZE_TIMING_CACHE, (self, a) -> fake.make(CppClass.HOST_MEMORY,
            fake.arena().allocateFrom(ValueLayout.JAVA_BYTE, ("T" + text(self.as(Cache.class).bytes)).getBytes(
                StandardCharsets.US_ASCII)), null));
        fake.when(Method.COMBINE_TIMING_CACHES, (self, a) -> {
            self.as(Cache.class).bytes = (text(self.as(Cache.class).bytes) + "+"
                + text(fake.at(a[0]).as(Cache.class).bytes)).getBytes(StandardCharsets.US_ASCII);
            return true;
        });
        fake.when(Method.SET_PROFILE_DIMENSIONS, (self, a) -> {
            self.as(Profile.class).shapes.computeIfAbsent(CppObject.text((MemorySegment) a[0]), name -> new HashMap<>())
                .put((int) a[1], dims(a[2]));
            return true;
        });
        installNetwork();
        installParser();
    }

    private void installNetwork() {
        fake.when(Method.COUNT_LAYERS, (self, a) -> 1);
        fake.when(Method.COUNT_INPUTS, (self, a) -> self.as(Network.class).inputs.size());
        fake.when(Method.COUNT_OUTPUTS, (self, a) -> self.as(Network.class).outputs.size());
        fake.when(Method.GET_INPUT, (self, a) -> {
            Tensor tensor = self.as(Network.class).inputs.get((int) a[0]);
            tensor.address = tensor.address == null ? fake.make(CppClass.TENSOR, tensor, self) : tensor.address;
            return tensor.address;
        });
        fake.when(Method.GET_NAME, (self, a) -> fake.text(self.as(Tensor.class).name));
        fake.when(Method.GET_DIMENSIONS, (self, a) -> Dims.of(self.as(Tensor.class).shape, fake.arena()));
        fake.when(Method.SET_DIMENSIONS, (self, a) -> self.as(Tensor.class).shape = dims(a[0]));
        fake.when(Method.GET_DIMENSION_NAME, (self, a) -> {
            String name = self.as(Tensor.class).dimensionNames.get((int) a[0]);
            return name.isEmpty() ? MemorySegment.NULL : fake.text(name);
        });
        fake.when(Method.IS_SHAPE_TENSOR, (self, a) -> self.as(Tensor.class).name.equals("decides_shapes"));
    }

    private void installParser() {
        fake.when(Method.PARSE, (self, a) -> parse(self,
            ((MemorySegment) a[0]).reinterpret((long) a[1]).toArray(ValueLayout.JAVA_BYTE)));
        fake.when(Method.SUPPORTS_OPERATOR,
            (self, a) -> !CppObject.text((MemorySegment) a[0]).equals("NoSuchOperator"));
        fake.when(Method.COUNT_ERRORS, (self, a) -> self.as(Parsing.class).errors.size());
        fake.when(Method.GET_ERROR, (self, a) -> self.as(Parsing.class).errors.get((int) a[0]));
        fake.when(Method.CLEAR_ERRORS, (self, a) -> {
            self.as(Parsing.class).errors.clear();
            return null;
        });
        fake.when(Method.ERROR_CODE, (self, a) -> self.as(Problem.class).code());
        fake.when(Method.ERROR_DESCRIPTION, (self, a) -> fake.text(self.as(Problem.class).description()));
        fake.when(Method.ERROR_NODE, (self, a) -> self.as(Problem.class).node());
        fake.when(Method.ERROR_NODE_NAME, (self, a) -> fake.text(self.as(Problem.class).name()));
        fake.when(Method.ERROR_NODE_OPERATOR, (self, a) -> fake.text(self.as(Problem.class).operator()));
    }

    private boolean parse(FakeObject self, byte[] onnx) {
        Parsing parser = self.as(Parsing.class);
        try {
            GraphProto graph = ModelProto.parseFrom(onnx).getGraph();
            for (int index = 0; index < graph.getNodeCount(); index++) {
                NodeProto node = graph.getNode(index);
                if (node.getOpType().equals("NoSuchOperator")) {
                    parser.errors.add(fake.make(CppClass.PARSER_ERROR,
                        new Problem(8, "no importer for it", index, node.getName(), node.getOpType()), self));
                }
            }
            graph.getInputList().forEach(value -> parser.network.inputs.add(new Tensor(value)));
            graph.getOutputList().forEach(value -> parser.network.outputs.add(new Tensor(value)));
            graph.getInitializerList().forEach(value -> parser.weights.add(
                fake.arena().allocateFrom(ValueLayout.JAVA_BYTE, value.toByteArray())));
            parser.network.weights.addAll(parser.weights);
        } catch (InvalidProtocolBufferException garbage) {
            parser.errors.add(fake.make(CppClass.PARSER_ERROR, new Problem(3, "not a graph", -1, null, null), self));
        }
        return parser.errors.isEmpty();
    }

    private MemorySegment build(Network network, Config config) {
        if (network.weights.stream().anyMatch(FakeBuilding::isFreed)) {
            fake.broken("the builder read weights that had ended with their parser");
        }
        if (!config.monitor.equals(MemorySegment.NULL) && !report(config.monitor) && !fake.finishesCancelledBuilds()) {
            return MemorySegment.NULL;
        }
        Map<Integer, Map<String, Shape>> ranges = new HashMap<>();
        config.profiles.forEach(profile -> profile.shapes.forEach((name, shapes) -> shapes.forEach(
            (selector, shape) -> ranges.computeIfAbsent(selector, it -> new HashMap<>()).put(name, shape))));
        String engine = "ENGINE " + fake.major() + "\nflags " + network.flags + " " + config.flags.stream().sorted()
            .map(String::valueOf).collect(Collectors.joining(",")) + " level " + config.level + " workspace "
            + config.workspace + "\n" + lines(network.inputs, "in", ranges) + lines(network.outputs, "out", ranges);
        return fake.make(CppClass.HOST_MEMORY, fake.arena().allocateFrom(ValueLayout.JAVA_BYTE,
            engine.getBytes(StandardCharsets.UTF_8)), null);
    }

    private static boolean isFreed(MemorySegment weights) {
        return weights.byteSize() > 0 && weights.elements(ValueLayout.JAVA_BYTE)
            .allMatch(each -> each.get(ValueLayout.JAVA_BYTE, 0) == (byte) FREED);
    }

    private static String lines(List<Tensor> tensors, String mode, Map<Integer, Map<String, Shape>> ranges) {
        return tensors.stream().map(tensor -> mode + ";" + tensor.name + ";" + tensor.type + ";" + written(tensor.shape)
            + ";" + written(ranges.getOrDefault(0, Map.of()).getOrDefault(tensor.name, tensor.shape)) + ";"
            + written(ranges.getOrDefault(2, Map.of()).getOrDefault(tensor.name, tensor.shape)) + "\n")
            .collect(Collectors.joining());
    }

    private static String written(Shape shape) {
        return Arrays.stream(shape.toArray()).mapToObj(Long::toString).collect(Collectors.joining(","));
    }

    /** Calls the monitor by its slots, as TensorRT does: a phase of two steps. @return whether to go on */
    private boolean report(MemorySegment monitor) {
        MemorySegment table = monitor.reinterpret(8).get(ValueLayout.ADDRESS, 0).reinterpret(7 * 8);
        try {
            Linker linker = Linker.nativeLinker();
            linker.downcallHandle(table.getAtIndex(ValueLayout.ADDRESS, 4), FunctionDescriptor.ofVoid(
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                .invokeWithArguments(monitor, fake.text("Tactics"), MemorySegment.NULL, 2);
            boolean goOn = true;
            for (int step = 0; step < 2 && goOn; step++) {
                goOn = (boolean) linker.downcallHandle(table.getAtIndex(ValueLayout.ADDRESS, 5), FunctionDescriptor.of(
                    ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                    .invokeWithArguments(monitor, fake.text("Tactics"), step);
            }
            linker.downcallHandle(table.getAtIndex(ValueLayout.ADDRESS, 6), FunctionDescriptor.ofVoid(
                ValueLayout.ADDRESS, ValueLayout.ADDRESS)).invokeWithArguments(monitor, fake.text("Tactics"));
            return goOn;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static Config config(FakeObject object) {
        return object.as(Config.class);
    }

    public static Shape dims(Object pointer) {
        return Dims.read(((MemorySegment) pointer).reinterpret(Dims.LAYOUT.byteSize())).orElseThrow();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
