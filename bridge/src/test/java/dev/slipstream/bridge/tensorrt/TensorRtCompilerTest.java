package dev.slipstream.bridge.tensorrt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.DeviceTensor;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.Launch;
import dev.slipstream.bridge.cuda.StoredEngines;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.FakeRunning;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Engines are built and run, over fakes of both versions. */
class TensorRtCompilerTest {
    private static final MemorySegment STREAM = MemorySegment.ofAddress(0x77000);
    private static final TensorType FOUR = TensorType.of(DataType.FLOAT32, 1, 4);

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void engineHasTheGraphsTensorsInOrder(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major);
                CompiledEngine engine = fixture.compile(TestModels.sumAndDifference(2, 3))) {
            assertEquals(List.of("b", "a"), List.copyOf(engine.inputs().keySet()));
            assertEquals(List.of("sum", "difference"), List.copyOf(engine.outputs().keySet()));
            assertEquals(TensorType.of(DataType.FLOAT32, 2, 3), engine.inputs().get("a"));
            assertEquals(12_345_678_901L, engine.contextBytes());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void everyElementTypeArrives(int major) {
        Map<TensorProto.DataType, DataType> types = Map.of(TensorProto.DataType.FLOAT, DataType.FLOAT32,
            TensorProto.DataType.FLOAT16, DataType.FLOAT16, TensorProto.DataType.BFLOAT16, DataType.BFLOAT16,
            TensorProto.DataType.INT64, DataType.INT64, TensorProto.DataType.INT32, DataType.INT32,
            TensorProto.DataType.BOOL, DataType.BOOL);
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            types.forEach((onnx, ours) -> {
                try (CompiledEngine engine = fixture.compile(TestModels.identity(onnx))) {
                    assertEquals(Map.of("x", TensorType.of(ours)), engine.inputs());
                    assertEquals(Map.of("y", TensorType.of(ours)), engine.outputs());
                }
            });
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void networksAreStronglyTypedAndFloat32IsExact(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            FakeEngines engines = new FakeEngines();
            BuildOptions options = new BuildOptions(5, OptionalLong.of(1 << 20), false, true,
                new BuildOptions.OpenDimensions(1, 1, 8));
            fixture.compiler(engines, options, TensorRtCompiler::logged)
                .compile(CompilerFixture.TARGET, EngineSource.of("a", TestModels.affine(4))).close();
            // The flag's bit; TF32 (6) cleared and refitting (4) set.
            String expected = "flags " + (major == 10 ? 2 : 1) + " -6,4 level 5 workspace 1048576";
            assertEquals(expected, engines.text().lines().toList().get(1));
            assertEquals("TensorRT " + major + ".2.3.7", engines.compiler);
            assertEquals("5", engines.options.get("optimization level"));
        }
    }

    /** The fake notes a builder that reads the weights of a deleted parser, and a parser that outlives its network. */
    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void theParserLivesUntilTheEngineIsBuilt(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            fixture.compile(TestModels.affine(4)).close();
            List<CppClass> deleted = fixture.fake.deleted();
            assertTrue(deleted.indexOf(CppClass.CONFIG) < deleted.indexOf(CppClass.PARSER), deleted::toString);
            assertTrue(deleted.indexOf(CppClass.PARSER) < deleted.indexOf(CppClass.NETWORK), deleted::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void namedDimensionsAreFixedAndOthersStayOpenWithinARange(int major) {
        EngineSource source = new EngineSource("u", EngineSource.of("u", TestModels.affine("batch", "width", 4)).onnx(),
            Optional.empty(), Map.of("width", 8L));
        try (CompilerFixture fixture = new CompilerFixture(major);
                CompiledEngine engine = fixture.compiler(EngineBytes.UNCACHED).compile(CompilerFixture.TARGET, source);
                EngineContext context = engine.newContext()) {
            assertEquals(Shape.of(-1, 8, 4), engine.inputs().get("x").shape());
            TensorType inside = TensorType.of(DataType.FLOAT32, 64, 8, 4);
            Launch launch = context.prepare(tensors(inside, 0x1000, 0x2000));
            launch.enqueue(STREAM);
            assertEquals(inside.shape(), runs(fixture).getFirst().shapes().get("x"));
            TensorType outside = TensorType.of(DataType.FLOAT32, 65, 8, 4);
            String message = assertThrows(IllegalArgumentException.class,
                () -> context.prepare(tensors(outside, 0x1000, 0x2000))).getMessage();
            assertEquals("cuda:1: engine u was built for shapes [1, 8, 4] to [64, 8, 4] of input 'x', not for "
                + "[65, 8, 4]", message);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void launchesQueueTheirTensorsAndRepeatWithOneCall(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major);
                CompiledEngine engine = fixture.compile(TestModels.affine(1, 4));
                EngineContext context = engine.newContext()) {
            Launch even = context.prepare(tensors(FOUR, 0x1000, 0x2000));
            Launch odd = context.prepare(tensors(FOUR, 0x2000, 0x1000));
            for (Launch launch : List.of(even, even, even, odd)) {
                launch.enqueue(STREAM);
            }
            List<FakeRunning.Run> runs = runs(fixture);
            assertEquals(4, runs.size());
            assertEquals(Map.of("x", 0x1000L, "y", 0x2000L), runs.get(2).addresses());
            assertEquals(Map.of("x", 0x2000L, "y", 0x1000L), runs.get(3).addresses());
            assertTrue(runs.stream().allMatch(run -> run.stream() == STREAM.address()));
            assertEquals(4, fixture.fake.calls().stream().filter(Method.SET_TENSOR_ADDRESS::equals).count());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void shapesAreSetWhereTheyChangeAndRecordedOnlyAfterARun(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major);
                CompiledEngine engine = fixture.compile(TestModels.affine("batch", 4));
                EngineContext context = engine.newContext()) {
            Launch even = context.prepare(tensors(FOUR, 0x1000, 0x2000));
            Launch odd = context.prepare(tensors(FOUR, 0x2000, 0x1000));
            Launch wide = context.prepare(tensors(TensorType.of(DataType.FLOAT32, 2, 4), 0x1000, 0x2000));
            assertThrows(DeviceException.class, () -> even.capture(STREAM), "it never ran");
            even.enqueue(STREAM);
            odd.capture(STREAM);
            assertEquals(1, fixture.fake.calls().stream().filter(Method.SET_INPUT_SHAPE::equals).count());
            String message = assertThrows(DeviceException.class, () -> wide.capture(STREAM)).getMessage();
            assertTrue(message.contains("has not run with these shapes last"), message);
            wide.enqueue(STREAM);
            wide.capture(STREAM);
            assertThrows(DeviceException.class, () -> even.capture(STREAM));
            assertEquals(2, fixture.fake.calls().stream().filter(Method.SET_INPUT_SHAPE::equals).count());
            List<FakeRunning.Run> runs = runs(fixture);
            assertEquals(List.of(Shape.of(1, 4), Shape.of(1, 4), Shape.of(2, 4), Shape.of(2, 4)),
                runs.stream().map(run -> run.shapes().get("x")).toList());
            assertEquals(0x2000L, runs.get(1).addresses().get("x"));
        }
    }

    /** A store's files are checked before anything native sees them. */
    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void aStoredEngineOfWhichAByteHasChangedNeverReachesTensorRt(int major, @TempDir Path folder) throws IOException {
        EngineBytes stored = new StoredEngines(new EngineStore(folder, Long.MAX_VALUE));
        EngineSource source = EngineSource.of("a", TestModels.affine(4));
        List<String> loaded = new ArrayList<>();
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            fixture.fake.listen(Method.DESERIALIZE_ENGINE, arguments -> loaded.add(new String(
                ((MemorySegment) arguments[0]).reinterpret((long) arguments[1]).toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.UTF_8)));
            fixture.compiler(stored).compile(CompilerFixture.TARGET, source).close();
            for (Path file : engineFiles(folder)) {
                byte[] bytes = Files.readAllBytes(file);
                int at = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf("ENGINE " + major) + 3;
                bytes[at] ^= 1;
                Files.write(file, bytes);
            }
            fixture.compiler(stored).compile(CompilerFixture.TARGET, source).close();
            assertEquals(2, fixture.fake.calls().stream().filter(Method.BUILD_ENGINE::equals).count());
        }
        assertEquals(2, loaded.size());
        assertTrue(loaded.stream().allMatch(text -> text.startsWith("ENGINE " + major)), loaded::toString);
    }

    private static List<Path> engineFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> engines = new ArrayList<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains("\nflags ")) {
                    engines.add(file);
                }
            }
            assertEquals(1, engines.size());
            return engines;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void storedEnginesAreNotBuiltAgain(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            FakeEngines engines = new FakeEngines();
            EngineSource source = EngineSource.of("a", TestModels.affine(4));
            fixture.compiler(engines).compile(CompilerFixture.TARGET, source).close();
            fixture.compiler(engines).compile(CompilerFixture.TARGET, source).close();
            assertEquals(1, fixture.fake.calls().stream().filter(Method.BUILD_ENGINE::equals).count());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void storedEnginesThatAreRefusedAreBuiltAgain(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            FakeEngines engines = new FakeEngines();
            engines.engine = "of another version".getBytes(StandardCharsets.US_ASCII);
            try (CompiledEngine engine = fixture.compiler(engines).compile(CompilerFixture.TARGET,
                    EngineSource.of("a", TestModels.affine(4)))) {
                assertEquals(1, engines.discarded);
                assertTrue(engines.text().startsWith("ENGINE"));
                assertEquals(TensorType.of(DataType.FLOAT32, 4), engine.inputs().get("x"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void timingsAreHandedOnAndDamagedOnesBegunAnew(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            FakeEngines engines = new FakeEngines();
            EngineSource source = EngineSource.of("a", TestModels.affine(4));
            List<String> stored = new ArrayList<>();
            for (int build = 0; build < 3; build++) {
                engines.engine = null;
                if (build == 2) {
                    engines.timings = "damaged".getBytes(StandardCharsets.US_ASCII);
                }
                fixture.compiler(engines).compile(CompilerFixture.TARGET, source).close();
                stored.add(new String(engines.timings, StandardCharsets.US_ASCII));
            }
            assertEquals("T", stored.get(0));
            assertEquals("TT", stored.get(1));
            assertEquals("T+damaged", stored.get(2));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void parserIsToldWhereExternalWeightsAre(int major, @TempDir Path folder) throws IOException {
        byte[] onnx = TestModels.addExternal(folder, 1, 2);
        List<String> paths = new ArrayList<>();
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            fixture.fake.when(Method.PARSE, (self, arguments) -> {
                paths.add(CppObject.text((MemorySegment) arguments[2]));
                return false;
            });
            TensorRtCompiler compiler = fixture.compiler(EngineBytes.UNCACHED);
            EngineSource source = new EngineSource("w", EngineSource.of("w", onnx).onnx(), Optional.of(folder),
                Map.of());
            assertThrows(EngineBuildException.class,
                () -> compiler.compile(CompilerFixture.TARGET, source));
        }
        assertArrayEquals(new Path[] {folder}, paths.stream().map(Path::of).map(Path::getParent).toArray());
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void availabilityNamesVersionAndPlace(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            assertEquals(new Availability.Available("TensorRT " + major + ".2.3.7 (fake)"),
                fixture.compiler(EngineBytes.UNCACHED).availability());
        }
    }

    private static Map<String, DeviceTensor> tensors(TensorType type, long x, long y) {
        return Map.of("x", CompilerFixture.at(x, type), "y", CompilerFixture.at(y, type));
    }

    private static List<FakeRunning.Run> runs(CompilerFixture fixture) {
        return fixture.fake.only(CppClass.CONTEXT).as(FakeRunning.Context.class).runs;
    }
}
