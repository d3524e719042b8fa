package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The running half of the fake: engines from their text, contexts that note what is queued. */
public final class FakeRunning {
    public record Line(boolean input, String name, int type, Shape shape, Shape least, Shape most) {
        static Line of(String text) {
            String[] parts = text.split(";", -1);
            return new Line(parts[0].equals("in"), parts[1], Integer.parseInt(parts[2]), shape(parts[3]),
                shape(parts[4]), shape(parts[5]));
        }

        private static Shape shape(String text) {
            return Shape.of(text.isEmpty() ? new long[0]
                : Arrays.stream(text.split(",")).mapToLong(Long::parseLong).toArray());
        }
    }

    public static final class Engine {
        final String text;
        final List<String> flags;
        final List<Line> tensors;
        public final Map<String, float[]> weights = new HashMap<>();

        Engine(String text) {
            this.text = text;
            this.flags = List.of(text.lines().toList().get(1).split(" ")[2].split(","));
            this.tensors = text.lines().skip(2).map(Line::of).toList();
        }
    }

    /** A queued run: where each tensor was, and what shapes were set. */
    public record Run(long stream, Map<String, Long> addresses, Map<String, Shape> shapes) {
    }

    public static final class Context {
        final Engine engine;
        final Map<String, Long> addresses = new HashMap<>();
        final Map<String, Shape> shapes = new HashMap<>();
        public final List<Run> runs = new ArrayList<>();

        Context(Engine engine) {
            this.engine = engine;
        }
    }

    private final FakeTensorRt fake;

    FakeRunning(FakeTensorRt fake) {
        this.fake = fake;
    }

    public void install() {
        fake.when(Method.DESERIALIZE_ENGINE, (self, a) -> load(self,
            ((MemorySegment) a[0]).reinterpret((long) a[1]).toArray(ValueLayout.JAVA_BYTE)));
        fake.when(Method.GET_DATA, (self, a) -> self.as(MemorySegment.class));
        fake.when(Method.GET_SIZE, (self, a) -> self.as(MemorySegment.class).byteSize());

        fake.when(Method.COUNT_TENSORS, (self, a) -> engine(self).tensors.size());
        fake.when(Method.GET_TENSOR_NAME, (self, a) -> fake.text(engine(self).tensors.get((int) a[0]).name()));
        fake.when(Method.GET_TENSOR_SHAPE, (self, a) -> Dims.of(line(self, a[0]).shape(), fake.arena()));
        fake.when(Method.GET_TENSOR_TYPE, (self, a) -> line(self, a[0]).type());
        fake.when(Method.GET_TENSOR_MODE, (self, a) -> line(self, a[0]).input() ? 1 : 2);
        fake.when(Method.GET_TENSOR_LOCATION, (self, a) -> 0);
        fake.when(Method.GET_PROFILE_SHAPE, (self, a) -> Dims.of((int) a[2] == 0 ? line(self, a[0]).least()
            : line(self, a[0]).most(), fake.arena()));
        fake.when(Method.GET_CONTEXT_BYTES, (self, a) -> 12_345_678_901L);
        fake.when(Method.IS_REFITTABLE, (self, a) -> engine(self).flags.contains("4"));
        fake.when(Method.SERIALIZE_ENGINE, (self, a) -> fake.make(CppClass.HOST_MEMORY, fake.arena().allocateFrom(
            ValueLayout.JAVA_BYTE, engine(self).text.getBytes(StandardCharsets.UTF_8)), null));
        fake.when(Method.CREATE_CONTEXT, (self, a) -> fake.make(CppClass.CONTEXT, new Context(engine(self)), self));
        fake.when(Method.CREATE_INSPECTOR, (self, a) -> fake.make(CppClass.INSPECTOR, self.state(), self));
        fake.when(Method.GET_ENGINE_INFORMATION, (self, a) -> fake.text("{\"format\": " + a[0] + "}"));

        fake.when(Method.SET_INPUT_SHAPE, (self, a) -> {
            context(self).shapes.put(name(a[0]), FakeBuilding.dims(a[1]));
            return true;
        });
        fake.when(Method.GET_CURRENT_SHAPE, (self, a) -> Dims.of(context(self).shapes.getOrDefault(name(a[0]),
            Shape.of(-1)), fake.arena()));
        fake.when(Method.SET_TENSOR_ADDRESS, (self, a) -> {
            context(self).addresses.put(name(a[0]), ((MemorySegment) a[1]).address());
            return context(self).engine.tensors.stream().anyMatch(line -> line.name().equals(name(a[0])));
        });
        fake.when(Method.ENQUEUE, (self, a) -> context(self).runs.add(new Run(((MemorySegment) a[0]).address(),
            Map.copyOf(context(self).addresses), Map.copyOf(context(self).shapes))));
        installRefitter();
    }

    private void installRefitter() {
        fake.when(Method.CREATE_REFITTER, (self, a) -> fake.make(CppClass.REFITTER, self.state(), self));
        fake.when(Method.GET_ALL_WEIGHTS, (self, a) -> {
            if ((int) a[0] > 0) {
                MemorySegment names = ((MemorySegment) a[1]).reinterpret(16);
                names.setAtIndex(ValueLayout.ADDRESS, 0, fake.text("first"));
                names.setAtIndex(ValueLayout.ADDRESS, 1, fake.text("second"));
            }
            return 2;
        });
        fake.when(Method.GET_MISSING_WEIGHTS, (self, a) -> 0);
        fake.when(Method.GET_WEIGHTS_PROTOTYPE,
            (self, a) -> new Weights(1, MemorySegment.NULL, 3_000_000_000L).struct(fake.arena()));
        fake.when(Method.SET_NAMED_WEIGHTS, (self, a) -> {
            Weights weights = Weights.read((MemorySegment) a[1]);
            engine(self).weights.put(name(a[0]), weights.values().reinterpret(weights.count() * Float.BYTES)
                .toArray(ValueLayout.JAVA_FLOAT));
            return weights.type() == 0;
        });
        fake.when(Method.REFIT, (self, a) -> engine(self).weights.containsKey("first"));
        fake.when(Method.REFIT_ASYNC, (self, a) -> ((MemorySegment) a[0]).address() == 0x5000);
    }

    private MemorySegment load(FakeObject runtime, byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (!text.startsWith("ENGINE " + fake.major() + "\n")) {
            fake.log(1, "The engine plan file is not compatible with this version of TensorRT");
            return MemorySegment.NULL;
        }
        return fake.make(CppClass.ENGINE, new Engine(text), runtime);
    }

    private static Line line(FakeObject engine, Object name) {
        return engine(engine).tensors.stream().filter(line -> line.name().equals(name(name))).findFirst().orElseThrow();
    }

    private static String name(Object pointer) {
        return CppObject.text((MemorySegment) pointer);
    }

    private static Engine engine(FakeObject object) {
        return object.as(Engine.class);
    }

    private static Context context(FakeObject object) {
        return object.as(Context.class);
    }
}
