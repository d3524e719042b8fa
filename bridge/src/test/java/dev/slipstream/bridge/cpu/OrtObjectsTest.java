package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.TestModels;
import dev.slipstream.bridge.cpu.CountingOrtApi.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What ONNX Runtime holds for us is released: sessions, options and tensors, and the memory below the tensors. */
class OrtObjectsTest {
    private static final TensorType ONE = TensorType.of(DataType.FLOAT32, 1);

    private final CountingOrtApi natives = CountingOrtApi.open();
    private final Device device = new CpuProvider().open(DeviceSpec.parse("cpu:1"));

    @AfterEach
    void close() {
        device.close();
        natives.close();
        natives.assertNothingIsLeft();
    }

    @Test
    void tensorsEndWithTheirContextAndTheSessionWithItsEngine() {
        Engine engine = affine();
        ExecutionContext first = engine.newContext();
        ExecutionContext second = engine.newContext();
        CpuBuffer x = buffer();
        CpuBuffer y = buffer();
        first.bind(Map.of("x", all(x), "y", all(y)));
        first.bind(Map.of("x", all(y), "y", all(x)));
        second.bind(Map.of("x", all(x), "y", all(y)));
        assertEquals(List.of(1L, 6L, 0L), live());
        first.close();
        assertEquals(List.of(1L, 2L, 0L), live());
        second.close();
        assertEquals(List.of(1L, 0L, 0L), live());
        engine.close();
        assertEquals(List.of(0L, 0L, 0L), live());
    }

    @Test
    void whatIsLeftOpenEndsWithTheDevice() {
        affine().newContext().bind(Map.of("x", all(buffer()), "y", all(buffer())));
        assertEquals(List.of(1L, 2L, 0L), live());
        device.close();
        assertEquals(List.of(0L, 0L, 0L), live());
    }

    @Test
    void boundMemoryStaysUntilTheBindingsEnd() {
        ExecutionContext context = affine().newContext();
        CpuBuffer x = buffer();
        CpuBuffer y = buffer();
        context.bind(Map.of("x", all(x), "y", all(y)));
        x.close();
        y.close();
        assertTrue(isThere(x) && isThere(y));
        context.close();
        assertFalse(isThere(x) || isThere(y));
    }

    @Test
    void aBindThatIsRefusedHalfWayKeepsNothing() {
        ExecutionContext context = affine().newContext();
        CpuBuffer x = buffer();
        CpuBuffer closed = buffer();
        closed.close();
        assertThrows(IllegalStateException.class, () -> context.bind(Map.of("x", all(x), "y", all(closed))));
        assertEquals(List.of(1L, 0L, 0L), live());
        x.close();
        assertFalse(isThere(x));
    }

    @Test
    void aSessionWhoseGraphIsOfNoUseIsReleased() {
        assertThrows(EngineBuildException.class,
            () -> device.build(EngineSource.of("double", TestModels.identity(TensorProto.DataType.DOUBLE, 1))));
        assertEquals(List.of(0L, 0L, 0L), live());
    }

    /** Fails each call of ONNX Runtime once: its error arrives, nothing stays, and the next attempt succeeds. */
    @Test
    void whateverFailsNothingIsLeft() {
        Set<String> failed = new LinkedHashSet<>();
        String call = "";
        for (int number = 1; number == 1 || !call.isEmpty(); number++) {
            List<CpuBuffer> buffers = List.of(buffer(), buffer());
            natives.failCall(number);
            try {
                use(buffers);
                call = natives.endFailures();
                assertEquals("", call, "nobody was told of the failure");
            } catch (DeviceException told) {
                call = natives.endFailures();
                assertTrue(told.getMessage().contains("injected into " + call), told.getMessage());
                assertTrue(told.getMessage().startsWith(device.name()), told.getMessage());
                failed.add(call);
            }
            assertEquals(List.of(0L, 0L, 0L), live(), "after the failure of " + call);
            assertEquals(0, device.liveObjects());
            buffers.forEach(buffer -> assertFalse(isThere(buffer), "memory after the failure of " + failed));
        }
        assertTrue(failed.containsAll(Set.of("SetIntraOpNumThreads", "CreateSessionFromArray",
            "SessionGetInputTypeInfo", "SessionGetOutputTypeInfo", "CreateTensorWithDataAsOrtValue", "Run")),
            failed.toString());
    }

    /** Builds, binds and runs, and closes all that could be made, the buffers too. */
    private void use(List<CpuBuffer> buffers) {
        List<AutoCloseable> made = new ArrayList<>(buffers);
        try (Stream stream = device.newStream("use")) {
            Engine engine = affine();
            made.addFirst(engine);
            ExecutionContext context = engine.newContext();
            made.addFirst(context);
            Bindings bindings = context.bind(Map.of("x", all(buffers.getFirst()), "y", all(buffers.getLast())));
            stream.upload(MemorySegment.ofArray(new float[] {20}), buffers.getFirst().all());
            stream.run(bindings);
            float[] y = new float[1];
            stream.download(buffers.getLast().all(), MemorySegment.ofArray(y));
            stream.synchronize();
            assertArrayEquals(new float[] {41}, y);
        } finally {
            for (AutoCloseable each : made) {
                try {
                    each.close();
                } catch (Exception failure) {
                    throw new AssertionError(failure);
                }
            }
        }
    }

    private List<Long> live() {
        return List.of(natives.live(Kind.SESSION), natives.live(Kind.VALUE), natives.live(Kind.OPTIONS));
    }

    private Engine affine() {
        return device.build(EngineSource.of("affine", TestModels.affine(1)));
    }

    private CpuBuffer buffer() {
        return (CpuBuffer) device.allocate(ONE.bytes());
    }

    private static boolean isThere(CpuBuffer buffer) {
        return buffer.segment().scope().isAlive();
    }

    private static Tensor all(CpuBuffer buffer) {
        return new Tensor(buffer.all(), ONE);
    }
}
