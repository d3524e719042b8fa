package dev.slipstream.bridge.tensorrt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.EngineTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The real libraries, as far as they go without a GPU: version, log, and a parser that is given a network made of Java
 * methods. Runs in the Maven profile {@code tensorrt-live}, which downloads them.
 */
class TensorRtLiveTest {
    private static final CudaReady CLAIMED = new CudaReady(new EngineTarget("cuda:0", 0, "none", 0, 0));
    private static final byte[] JUNK = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

    private static TensorRt tensorRt;

    @BeforeAll
    static void load() {
        String folder = System.getProperty("tensorrt.live", "");
        assumeFalse(folder.isEmpty(), "the libraries are in the Maven profile tensorrt-live only");
        TensorRtLibrary library = new LibrarySearch(Optional.of(folder), LibrarySearch.platform(
            System.getProperty("os.name"), System.getProperty("os.arch")), platform -> Optional.empty(),
            name -> SymbolLookup.libraryLookup(Path.of(name), Arena.global())).find();
        tensorRt = assertInstanceOf(TensorRtLibrary.Available.class, library, library::toString).tensorRt();
        System.out.println(library.availability());
    }

    @Test
    void parserReadsGarbageAndTellsWhatIsWrong() {
        long mark = tensorRt.mark();
        try (Arena arena = Arena.ofShared()) {
            RecordingObject calls = new RecordingObject(arena);
            try (NetworkDefinition network = networkOf(calls); OnnxParser parser = network.createParser()) {
                assertFalse(parser.parse(arena.allocateFrom(ValueLayout.JAVA_BYTE, JUNK), Optional.empty()));
                List<ParserError> errors = parser.errors();
                assertEquals(1, errors.size());
                assertEquals(3, errors.getFirst().code(), "MODEL_DESERIALIZE_FAILED");
                assertFalse(errors.getFirst().description().isEmpty());
                parser.clearErrors();
                assertEquals(List.of(), parser.errors());
            }
            assertTrue(calls.called().contains(Method.COUNT_LAYERS.slot(tensorRt.major())),
                () -> "the parser called " + calls.called());
        }
        List<String> logged = tensorRt.log().messages().since(mark);
        assertFalse(logged.isEmpty(), "the parser logs through our logger");
        System.out.println(logged);
        assertEquals(0, tensorRt.liveObjects());
    }

    @Test
    void parserKnowsItsOperators() {
        try (Arena arena = Arena.ofShared();
                NetworkDefinition network = networkOf(new RecordingObject(arena));
                OnnxParser parser = network.createParser()) {
            assertTrue(parser.supports("Conv"));
            assertFalse(parser.supports("NoSuchOperator"));
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

    /** A network whose builder and runtime are nothing but Java methods too. */
    private static NetworkDefinition networkOf(RecordingObject calls) {
        MemorySegment address = calls.address();
        int major = tensorRt.major();
        try (InferenceRuntime runtime = new InferenceRuntime(tensorRt, CLAIMED,
                CppObject.at(address, CppClass.RUNTIME, major));
                EngineBuilder builder = new EngineBuilder(runtime, CppObject.at(address, CppClass.BUILDER, major))) {
            return new NetworkDefinition(builder, CppObject.at(address, CppClass.NETWORK, major));
        }
    }
}
