package dev.slipstream.bridge.tensorrt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.tensorrt.abi.BindingClasses;
import dev.slipstream.bridge.tensorrt.abi.FakeTensorRt;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.abi.ParsedNetwork;
import dev.slipstream.bridge.tensorrt.abi.Weights;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.NetworkDefinition;
import dev.slipstream.bridge.tensorrt.api.OnnxParser;
import dev.slipstream.bridge.tensorrt.api.RecordingObject;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import dev.slipstream.bridge.tensorrt.library.LibrarySearch;
import dev.slipstream.bridge.tensorrt.library.TensorRtLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real libraries, as far as they go without a GPU: version, log, and a parser that is given a network made of Java
 * methods. Runs in the Maven profile {@code tensorrt-live}, which downloads them.
 */
class TensorRtLiveTest {
    private static final InferenceRuntime.CudaReady CLAIMED = new InferenceRuntime.CudaReady("none");
    private static final byte[] JUNK = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

    private static TensorRt tensorRt;
    private static SymbolLookup parser;

    @BeforeAll
    static void load() {
        String folder = System.getProperty("tensorrt.live", "");
        assumeFalse(folder.isEmpty(), "the libraries are in the Maven profile tensorrt-live only");
        TensorRtLibrary library = new LibrarySearch(Optional.of(folder), LibrarySearch.platform(
            System.getProperty("os.name"), System.getProperty("os.arch")), platform -> Optional.empty(),
            name -> SymbolLookup.libraryLookup(Path.of(name), Arena.global())).find();
        tensorRt = assertInstanceOf(TensorRtLibrary.Available.class, library, library::toString).tensorRt();
        parser = SymbolLookup.libraryLookup(Path.of(folder, "libnvonnxparser.so." + tensorRt.major()), Arena.global());
        System.out.println(library.availability());
    }

    @Test
    void parserReadsGarbageAndTellsWhatIsWrong() {
        long mark = tensorRt.mark();
        try (Arena arena = Arena.ofShared()) {
            RecordingObject calls = new RecordingObject(arena);
            try (NetworkDefinition network = calls.asNetwork(tensorRt, CLAIMED);
                    OnnxParser parser = network.createParser()) {
                assertFalse(parser.parse(arena.allocateFrom(ValueLayout.JAVA_BYTE, JUNK), Optional.empty()));
                List<OnnxParser.Problem> errors = parser.errors();
                assertEquals(1, errors.size());
                assertEquals(3, errors.getFirst().code(), "MODEL_DESERIALIZE_FAILED");
                assertFalse(errors.getFirst().description().isEmpty());
                parser.clearErrors();
                assertEquals(List.of(), parser.errors());
            }
            assertTrue(calls.called().contains(Method.COUNT_LAYERS.slot(tensorRt.major())),
                () -> "the parser called " + calls.called());
        }
        List<String> logged = tensorRt.log().since(mark);
        assertFalse(logged.isEmpty(), "the parser logs through our logger");
        System.out.println(logged);
        assertEquals(0, tensorRt.liveObjects());
    }

    @Test
    void parserKnowsItsOperators() {
        try (Arena arena = Arena.ofShared();
                NetworkDefinition network = new RecordingObject(arena).asNetwork(tensorRt, CLAIMED);
                OnnxParser parser = network.createParser()) {
            assertTrue(parser.supports("Conv"));
            assertFalse(parser.supports("NoSuchOperator"));
        }
    }

    /**
     * The real parser, under a builder and a network made of Java: when the builder is called, the network's weights
     * are those of the graph. (They lie in memory of the parser, also those that a file holds.)
     */
    @Test
    void weightsAreThereWhenTheEngineIsBuilt(@TempDir Path folder) throws IOException {
        Map<String, float[]> expected = new LinkedHashMap<>();
        expected.put("large", values(500_000, 1));
        expected.put("external", values(250_000, 2));
        for (int i = 0; i < 64; i++) {
            expected.put("small" + i, values(1, 3 + i));
        }
        EngineSource source = new EngineSource("constants",
            EngineSource.of("constants", TestModels.constants(folder, expected, Set.of("external"))).onnx(),
            Optional.of(folder), Map.of());
        Map<String, float[]> found = new LinkedHashMap<>();
        Path jar = Path.of(System.getProperty("bytedeco.folder"),
            tensorRt.major() == 10 ? "tensorrt-10.15-1.5.13.jar" : "tensorrt-11.2-1.5.14.jar");
        try (Arena arena = Arena.ofShared(); BindingClasses classes = new BindingClasses(jar);
                FakeTensorRt fake = new FakeTensorRt(tensorRt.major())) {
            ParsedNetwork network = new ParsedNetwork(arena, classes);
            fake.when(Method.CREATE_NETWORK, (self, arguments) -> network.address());
            fake.when(Method.BUILD_ENGINE, (self, arguments) -> {
                network.outputs().forEach((name, weights) -> found.put(name, read(weights)));
                return MemorySegment.NULL;
            });
            TensorRt mixed = TensorRt.over(name -> name.contains("NvOnnx") ? parser.find(name)
                : fake.lookup().find(name), arena);
            TensorRtCompiler compiler = new TensorRtCompiler(() -> new TensorRtLibrary.Available(mixed, "mixed"),
                EngineBytes.UNCACHED, BuildOptions.DEFAULT, TensorRtCompiler::logged);
            String message = assertThrows(EngineBuildException.class,
                () -> compiler.compile(CompilerFixture.TARGET, source)).getMessage();
            assertTrue(message.contains("buildSerializedNetwork made nothing"), message);
            assertEquals(0, mixed.liveObjects());
        }
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
    }

    private static float[] values(int count, int seed) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = seed + i / 1024f;
        }
        return values;
    }

    /** Nothing where the memory is gone, as touching it would end the process. */
    private static float[] read(Weights weights) {
        long first = weights.values().address();
        long end = first + weights.count() * Float.BYTES;
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            boolean mapped = maps.map(line -> line.substring(0, line.indexOf(' ')).split("-")).anyMatch(range ->
                Long.parseUnsignedLong(range[0], 16) <= first && end <= Long.parseUnsignedLong(range[1], 16));
            return mapped ? weights.values().reinterpret(end - first).toArray(ValueLayout.JAVA_FLOAT) : new float[0];
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @Test
    void runtimeIsMadeOrRefusedWithTheReason() {
        try (InferenceRuntime runtime = tensorRt.createRuntime(CLAIMED)) {
            assertEquals(CLAIMED, runtime.ready());
        } catch (DeviceException refused) {
            assertTrue(refused.getMessage().contains("createInferRuntime made nothing"), refused::getMessage);
            assertTrue(refused.getMessage().contains("CUDA"), refused::getMessage);
            System.out.println(refused.getMessage());
        }
        assertEquals(0, tensorRt.liveObjects());
    }

    /**
     * Nothing of ours calls the registry; it shows that slots hold for a class that has no implementation behind it.
     */
    @Test
    void pluginRegistryAnswersByItsSlots() throws Throwable {
        assumeTrue(tensorRt.major() == 10, "the registry's slots are known for TensorRT 10");
        Path library = Path.of(System.getProperty("tensorrt.live"), "libnvinfer.so.10");
        MemorySegment function =
            SymbolLookup.libraryLookup(library, Arena.global()).find("getPluginRegistry").orElseThrow();
        MemorySegment registry = (MemorySegment) Linker.nativeLinker()
            .downcallHandle(function, FunctionDescriptor.of(ValueLayout.ADDRESS)).invoke();
        MethodHandle isParentSearched = slot(registry, 8,
            FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS));
        MethodHandle setParentSearched = slot(registry, 9,
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_BOOLEAN));
        boolean before = (boolean) isParentSearched.invoke(registry);
        setParentSearched.invoke(registry, !before);
        assertEquals(!before, (boolean) isParentSearched.invoke(registry));
        setParentSearched.invoke(registry, before);
        assertEquals(before, (boolean) isParentSearched.invoke(registry));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            MethodHandle creators = slot(registry, 13,
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            MemorySegment all = (MemorySegment) creators.invoke(registry, count);
            int found = count.get(ValueLayout.JAVA_INT, 0);
            assertTrue(found > 0 && all.address() != 0, () -> found + " plugin creators at " + all);
            System.out.println(found + " plugin creators");
        }
    }

    private static MethodHandle slot(MemorySegment object, int slot, FunctionDescriptor descriptor) {
        MemorySegment table = object.reinterpret(Long.BYTES).get(ValueLayout.ADDRESS, 0)
            .reinterpret((slot + 1) * (long) Long.BYTES);
        return Linker.nativeLinker().downcallHandle(table.getAtIndex(ValueLayout.ADDRESS, slot), descriptor);
    }
}
