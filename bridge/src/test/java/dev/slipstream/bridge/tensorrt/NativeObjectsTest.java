package dev.slipstream.bridge.tensorrt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.Dims;
import dev.slipstream.bridge.tensorrt.abi.Exports;
import dev.slipstream.bridge.tensorrt.abi.FakeRunning;
import dev.slipstream.bridge.tensorrt.abi.FakeTensorRt;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.abi.Weights;
import dev.slipstream.bridge.tensorrt.api.HostMemory;
import dev.slipstream.bridge.tensorrt.api.InferenceContext;
import dev.slipstream.bridge.tensorrt.api.InferenceEngine;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.Log;
import dev.slipstream.bridge.tensorrt.api.Refitter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Objects over fakes of both versions: what crosses, who frees what and when, what is logged. */
class NativeObjectsTest {
    private static final String ENGINE = "ENGINE %d\nflags 2 4 level 3 workspace -1\nin;x;0;-1,4;1,4;64,4\n";

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void weightsCrossByValue(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major); Arena arena = Arena.ofConfined();
                InferenceEngine engine = load(fixture); Refitter refitter = engine.createRefitter()) {
            assertTrue(engine.isRefittable());
            assertEquals(List.of("first", "second"), refitter.all());
            assertEquals(List.of(), refitter.missing());
            assertEquals(new Weights(1, MemorySegment.NULL, 3_000_000_000L), refitter.prototype("first"));
            assertThrows(DeviceException.class, refitter::refit);
            MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3);
            refitter.set("first", new Weights(0, values, 3));
            assertDoesNotThrow(() -> refitter.refit());
            assertArrayEquals(new float[] {1, 2, 3},
                fixture.fake.only(CppClass.ENGINE).as(FakeRunning.Engine.class).weights.get("first"));
            refitter.refit(MemorySegment.ofAddress(0x5000));
            String message = assertThrows(DeviceException.class,
                () -> refitter.set("first", new Weights(1, values, 3))).getMessage();
            assertEquals("TensorRT's setNamedWeights for 'first' failed and said nothing", message);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void dimsCrossByValueAndByReference(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major); Arena arena = Arena.ofConfined();
                InferenceEngine engine = load(fixture); InferenceContext context = engine.createContext()) {
            InferenceEngine.Tensor tensor = engine.tensors().getFirst();
            assertEquals(Shape.of(-1, 4), tensor.type().shape());
            assertEquals(new InferenceEngine.Range(Shape.of(1, 4), Shape.of(64, 4)), tensor.range().orElseThrow());
            MemorySegment name = arena.allocateFrom("x");
            Shape eight = Shape.of(1, 2, 3, 4, 5, 6, 7, 1L << 40);
            assertTrue(context.setInputShape(name, Dims.of(eight, arena)));
            assertEquals(eight, context.shape(name).orElseThrow());
            assertThrows(IllegalArgumentException.class, () -> Dims.of(Shape.of(new long[9]), arena));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void enginesDescribeAndSerializeThemselves(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major); InferenceEngine engine = load(fixture);
                HostMemory bytes = engine.serialize()) {
            assertEquals("{\"format\": 1}", engine.describe());
            assertEquals(text(major), new String(bytes.bytes().toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.UTF_8));
            assertTrue(bytes.bytes().isReadOnly());
        }
    }

    @Test
    void parentsAreFreedAfterTheirChildrenAndOnce() {
        try (CompilerFixture fixture = new CompilerFixture(10)) {
            InferenceEngine engine = load(fixture);
            InferenceContext context = engine.createContext();
            engine.close();
            engine.close();
            assertNotNull(fixture.fake.only(CppClass.ENGINE));
            assertThrows(IllegalStateException.class, engine::createContext);
            context.close();
            context.close();
            assertEquals(List.of(CppClass.CONTEXT, CppClass.ENGINE, CppClass.RUNTIME), fixture.fake.deleted());
            assertEquals(0, fixture.fake.owned());
        }
    }

    @Test
    void callsWithAnotherSignatureAreRefused() {
        try (CompilerFixture fixture = new CompilerFixture(10); InferenceRuntime runtime = fixture.runtime()) {
            assertThrows(IllegalArgumentException.class, () -> runtime.object().bool(Method.DESERIALIZE_ENGINE));
            assertThrows(IllegalArgumentException.class, () -> runtime.object().int64(Method.GET_SIZE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void warningsAndErrorsAreKeptForExceptions(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major); InferenceRuntime runtime = fixture.runtime()) {
            assertNotNull(runtime);
            long before = fixture.tensorRt.mark();
            for (int severity = 0; severity <= 4; severity++) {
                fixture.fake.log(severity, "severity " + severity + "\n  on two lines");
            }
            Log log = fixture.tensorRt.log();
            assertEquals(List.of("severity 0 on two lines", "severity 1 on two lines", "severity 2 on two lines"),
                log.since(before));
            long after = fixture.tensorRt.mark();
            for (int count = 0; count < 100; count++) {
                fixture.fake.log(1, "message " + count);
            }
            assertEquals(16, log.since(after).size());
            assertEquals("message 99", log.since(after).getLast());
        }
    }

    @Test
    void versionsAreReadAndUnknownOnesRefused() {
        assertEquals("10.15.1.29", Exports.Version.of(101501, 29).toString());
        assertEquals("8.6.1.6", Exports.Version.of(8601, 6).toString());
        assertFalse(Exports.Version.of(8601, 6).isKnown());
        assertFalse(Exports.Version.of(100001, 6).isKnown(), "10.0 lacks getDeviceMemorySizeV2");
        assertTrue(Exports.Version.of(100100, 27).isKnown());
        assertTrue(Exports.Version.of(110000, 114).isKnown());
        try (FakeTensorRt twelve = new FakeTensorRt(12)) {
            assertThrows(IllegalArgumentException.class, () -> CompilerFixture.open(twelve));
        }
        try (FakeTensorRt ten = new FakeTensorRt(10, 0)) {
            assertThrows(IllegalArgumentException.class, () -> CompilerFixture.open(ten));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void dimensionsBelowMinusOneAreTensorRtsFault(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major); InferenceEngine engine = load(fixture)) {
            fixture.fake.when(Method.GET_TENSOR_SHAPE, (self, arguments) -> {
                MemorySegment dims = Dims.of(Shape.of(4, 4), fixture.fake.arena());
                dims.set(ValueLayout.JAVA_LONG, Long.BYTES, -7);
                return dims;
            });
            String message = assertThrows(DeviceException.class, engine::tensors).getMessage();
            assertEquals("TensorRT gave a tensor the dimensions [-7, 4], of which only -1 may be negative", message);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11})
    void silencedCallbacksReachNoJavaAndEndBuilds(int major) {
        try (CompilerFixture fixture = new CompilerFixture(major)) {
            RecordedProgress progress = new RecordedProgress(9, null);
            TensorRtCompiler compiler = fixture.compiler(EngineBytes.UNCACHED, BuildOptions.DEFAULT, it -> progress);
            long before = fixture.tensorRt.mark();
            fixture.tensorRt.callbacks().silence();
            EngineSource source = EngineSource.of("late", TestModels.affine(4));
            assertThrows(EngineBuildException.class, () -> compiler.compile(CompilerFixture.TARGET, source));
            fixture.fake.log(1, "too late");
            assertEquals(List.of(), progress.heard);
            assertEquals(List.of(), fixture.tensorRt.log().since(before));
        }
    }

    private static InferenceEngine load(CompilerFixture fixture) {
        try (Arena arena = Arena.ofConfined(); InferenceRuntime runtime = fixture.runtime()) {
            return runtime.load(arena.allocateFrom(ValueLayout.JAVA_BYTE,
                text(fixture.fake.major()).getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static String text(int major) {
        return ENGINE.formatted(major);
    }
}
