package dev.slipstream.bridge.tensorrt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.Launch;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.FakeObject;
import dev.slipstream.bridge.tensorrt.abi.FakeRunning;
import dev.slipstream.bridge.tensorrt.abi.FakeTensorRt;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.library.TensorRtLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be built or run says why, and leaves nothing behind. */
class CompilerFailureTest {
    private static final TensorType FOUR = TensorType.of(DataType.FLOAT32, 4);

    /**
     * A whole life: build, load, make a context, run. If one call fails, there is an exception that carries what was
     * logged (or the call is one that builds do not depend on), all objects are freed, and the next life is fine.
     */
    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void aCallThatFailsLeavesNothing(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            FakeTensorRt fake = fixture.fake;
            fake.failCall(-1);
            live(fixture);
            int calls = fake.fallibleCalls();
            int told = 0;
            for (int failing = 0; failing < calls; failing++) {
                fake.failCall(failing);
                fake.answerNothingWith(failing % 2 == 0 ? 0 : 0x238);
                try {
                    live(fixture);
                } catch (DeviceException failure) {
                    assertTrue(failure.getMessage().startsWith("cuda:1: engine unet/up "), failure::getMessage);
                    assertTrue(failure.getMessage().contains("injected into"), failure::getMessage);
                    told++;
                }
                assertEquals(0, fixture.tensorRt.liveObjects(), "after call " + failing);
                assertEquals(0, fake.owned(), "after call " + failing);
                fake.failCall(-1);
                live(fixture);
            }
            System.out.println("TensorRT " + major + ": " + calls + " calls failed on purpose, " + told + " told");
            // What the build learned is not worth failing for: it is not stored then.
            assertEquals(calls - 1, told);
        }
    }

    private static void live(CompilerFixture fixture) {
        try (CompiledEngine engine = fixture.compile(TestModels.affine("batch"));
                EngineContext context = engine.newContext()) {
            Launch launch = context.prepare(Map.of("x", CompilerFixture.at(0x1000, FOUR), "y",
                CompilerFixture.at(0x2000, FOUR)));
            launch.enqueue(MemorySegment.NULL);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void parserErrorsNameTheNode(int major) throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(TestModels.affine(4)).toBuilder();
        model.getGraphBuilder().getNodeBuilder(1).setName("/up/odd").setOpType("NoSuchOperator");
        assertEquals("cuda:1: engine unet/up cannot be built: the graph was refused: node 1 '/up/odd' (NoSuchOperator):"
            + " no importer for it", refusal(major, model.build().toByteArray()));
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void damagedAndEmptyGraphsAreRefused(int major) {
        assertEquals("cuda:1: engine unet/up cannot be built: the graph was refused: not a graph (code 3)",
            refusal(major, new byte[] {-1, -1, -1}));
        assertEquals("cuda:1: engine unet/up cannot be built: the graph is empty (no bytes)",
            refusal(major, new byte[0]));
        assertEquals("cuda:1: engine unet/up cannot be built: the graph has no outputs",
            refusal(major, TestModels.withoutOutputs()));
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void unsupportedElementTypesAreNamed(int major) {
        assertEquals("cuda:1: engine unet/up cannot be built: tensor 'x' has TensorRT's element type 5, which is "
            + "unsupported", refusal(major, TestModels.identity(TensorProto.DataType.UINT8, 4)));
    }

    @Test
    void inputsThatDecideShapesAreNamed() throws IOException {
        ModelProto.Builder model = ModelProto.parseFrom(TestModels.affine(4)).toBuilder();
        model.getGraphBuilder().getInputBuilder(0).setName("decides_shapes");
        assertTrue(refusal(10, model.build().toByteArray()).contains("input 'decides_shapes' decide shapes"));
    }

    @Test
    void missingBuilderResourceBecomesAdvice() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            fixture.fake.when(Method.BUILD_ENGINE, (self, arguments) -> {
                fixture.fake.log(1, "Unable to load library: libnvinfer_builder_resource_sm90.so.10.15.1");
                return MemorySegment.NULL;
            });
            String message = assertThrows(EngineBuildException.class, () -> fixture.compile(TestModels.affine(4)))
                .getMessage();
            assertTrue(message.endsWith("(install the TensorRT builder resource for sm_90 "
                + "(libnvinfer_builder_resource_sm90.so.10.15.1) beside libnvinfer)"), message);
        }
    }

    @Test
    void noRoomOnTheDeviceIsATypeOfItsOwn() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            fixture.fake.when(Method.DESERIALIZE_ENGINE, (self, arguments) -> {
                fixture.fake.log(1, "Requested amount of GPU memory (1 bytes) could not be allocated: OutOfMemory");
                return MemorySegment.NULL;
            });
            assertThrows(DeviceOutOfMemoryException.class, () -> fixture.compile(TestModels.affine(4)));
        }
    }

    @Test
    void freshEnginesThatAreRefusedAreNotBuiltTwice() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            fixture.fake.when(Method.DESERIALIZE_ENGINE, (self, arguments) -> MemorySegment.NULL);
            assertThrows(EngineBuildException.class, () -> fixture.compile(TestModels.affine(4)));
            assertEquals(1, fixture.fake.calls().stream().filter(Method.BUILD_ENGINE::equals).count());
        }
    }

    @Test
    void withoutAParserOnlyStoredEnginesLoad() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            FakeEngines engines = new FakeEngines();
            EngineSource source = EngineSource.of("unet/up", TestModels.affine(4));
            fixture.compiler(engines).compile(CompilerFixture.TARGET, source).close();
            fixture.fake.withoutParser();
            fixture.compiler(engines).compile(CompilerFixture.TARGET, source).close();
            engines.engine = null;
            TensorRtCompiler compiler = fixture.compiler(engines);
            String message = assertThrows(EngineBuildException.class,
                () -> compiler.compile(CompilerFixture.TARGET, source)).getMessage();
            assertTrue(message.contains("libnvonnxparser.so.10"), message);
            assertTrue(assertInstanceOf(Availability.Available.class, compiler.availability()).detail()
                .contains("without its ONNX parser"));
        }
    }

    @Test
    void weightsThatCannotBeReadAreNamed() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            TensorRtCompiler compiler = fixture.compiler((target, source, name, options, arena, build) -> {
                throw new UncheckedIOException(new NoSuchFileException("/models/weights.bin"));
            });
            EngineSource source = EngineSource.of("unet/up", TestModels.affine(4));
            String message = assertThrows(EngineBuildException.class,
                () -> compiler.compile(CompilerFixture.TARGET, source)).getMessage();
            assertTrue(message.startsWith("cuda:1: engine unet/up cannot be built: ")
                && message.contains("/models/weights.bin"), message);
        }
    }

    @Test
    void withoutTensorRtTheReasonIsTold() {
        TensorRtCompiler compiler = new TensorRtCompiler(() -> new TensorRtLibrary.Unavailable("none", "install it"),
            EngineBytes.UNCACHED, BuildOptions.DEFAULT, TensorRtCompiler::logged);
        assertEquals(new Availability.Unavailable("no TensorRT: none", "install it"), compiler.availability());
        EngineSource source = EngineSource.of("unet/up", TestModels.affine(4));
        assertEquals("cuda:1: engine unet/up cannot be built: no TensorRT: none; install it", assertThrows(
            EngineBuildException.class, () -> compiler.compile(CompilerFixture.TARGET, source)).getMessage());
    }

    @Test
    void failedRebindingIsForgotten() {
        try (CompilerFixture fixture = new CompilerFixture(10);
                CompiledEngine engine = fixture.compile(TestModels.affine(4));
                EngineContext context = engine.newContext()) {
            Launch launch = context.prepare(Map.of("x", CompilerFixture.at(0x1000, FOUR), "y",
                CompilerFixture.at(0x2000, FOUR)));
            fixture.fake.failCall(1);
            String message = assertThrows(DeviceException.class, () -> launch.enqueue(MemorySegment.NULL))
                .getMessage();
            assertTrue(message.startsWith("cuda:1: engine unet/up was not queued: setTensorAddress for 'y' failed"),
                message);
            launch.enqueue(MemorySegment.NULL);
            FakeObject fake = fixture.fake.only(CppClass.CONTEXT);
            assertEquals(Map.of("x", 0x1000L, "y", 0x2000L),
                fake.as(FakeRunning.Context.class).runs.getFirst().addresses());
        }
    }

    @Test
    void buildsCanBeCancelledAndFailingListenersEndThem() {
        try (CompilerFixture fixture = new CompilerFixture(11)) {
            EngineSource source = EngineSource.of("unet/up", TestModels.affine(4));
            RecordedProgress second = new RecordedProgress(1, null);
            TensorRtCompiler cancelling = fixture.compiler(EngineBytes.UNCACHED, BuildOptions.DEFAULT, it -> second);
            assertTrue(assertThrows(EngineBuildException.class,
                () -> cancelling.compile(CompilerFixture.TARGET, source)).getMessage().contains("cancelled"));
            assertEquals("begin Tactics in '' with 2, step 0, step 1, end Tactics", String.join(", ", second.heard));

            IllegalStateException broken = new IllegalStateException("broken listener");
            TensorRtCompiler failing = fixture.compiler(EngineBytes.UNCACHED, BuildOptions.DEFAULT,
                it -> new RecordedProgress(2, broken));
            EngineBuildException failure = assertThrows(EngineBuildException.class,
                () -> failing.compile(CompilerFixture.TARGET, source));
            assertSame(broken, failure.getCause().getCause());
        }
    }

    /** {@link CompilerFixture#close} sees what is left. */
    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void anEngineThatComesOfACancelledBuildIsFreed(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            fixture.fake.finishCancelledBuilds();
            TensorRtCompiler compiler = fixture.compiler(EngineBytes.UNCACHED, BuildOptions.DEFAULT,
                it -> new RecordedProgress(1, null));
            EngineSource source = EngineSource.of("unet/up", TestModels.affine(4));
            assertTrue(assertThrows(EngineBuildException.class,
                () -> compiler.compile(CompilerFixture.TARGET, source)).getMessage().contains("cancelled"));
            assertTrue(fixture.fake.deleted().contains(CppClass.HOST_MEMORY), "the build gave an engine");
        }
    }

    private static String refusal(int major, byte[] onnx) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            return assertThrows(EngineBuildException.class, () -> fixture.compile(onnx)).getMessage();
        }
    }
}
