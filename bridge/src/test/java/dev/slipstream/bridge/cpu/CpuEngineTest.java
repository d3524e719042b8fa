package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.DeviceFixture.Gate;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.contract.TestModels;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What ONNX Runtime's engines have of their own: limits, and memory that must not go while they use it. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
@ExtendWith(NothingNativeIsLeft.class)
class CpuEngineTest {
    private final DeviceFixture fixture =
        new DeviceFixture(new CpuProvider(), DeviceSpec.parse("cpu:1"), TestGate::block);

    @AfterEach
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void close() throws Exception {
        fixture.close();
    }

    @Test
    void aTensorThatIsTooLargeForByteBuffersIsRefused() {
        ExecutionContext context = fixture.context(fixture.engine("affine", TestModels.affine("n")));
        Buffer huge = new ImaginaryBuffer(fixture.device(), 3L << 30);
        Tensor x = new Tensor(huge.all(), TensorType.of(DataType.FLOAT32, (3L << 30) / 4));
        String message = assertThrows(IllegalArgumentException.class, () -> context.bind(Map.of("x", x, "y", x)))
            .getMessage();
        assertTrue(message.contains("'x' has 3221225472 bytes"), message);
    }

    @Test
    void aRunThatWasQueuedBeforeItsBufferWasClosedStillHasTheMemory() {
        Stream stream = fixture.stream();
        Buffer x = fixture.floats(20);
        Buffer y = fixture.floats(0);
        Bindings bindings = affine().bind(Map.of("x", one(x), "y", one(y)));
        Gate gate = fixture.block(stream);
        stream.run(bindings);
        x.close();
        gate.open();
        stream.synchronize();
        assertArrayEquals(new float[] {41}, fixture.read(y));
    }

    @Test
    void aRunThatWasQueuedBeforeItsContextWasClosedFails() {
        Stream stream = fixture.stream();
        ExecutionContext context = affine();
        Buffer y = fixture.floats(0);
        Bindings bindings = context.bind(Map.of("x", one(fixture.floats(20)), "y", one(y)));
        Gate gate = fixture.block(stream);
        stream.run(bindings);
        context.close();
        gate.open();
        assertEquals("cpu:0 (stream stream0): running affine failed: execution context of affine of cpu:0 is closed",
            assertThrows(DeviceException.class, stream::synchronize).getMessage());
        assertArrayEquals(new float[] {0}, fixture.read(y));
    }

    @Test
    void anOutputOfAnotherSizeThanTheGraphGivesFailsAndWritesNothing() {
        Stream stream = fixture.stream();
        Buffer x = fixture.floats(1, 2, 3);
        Buffer y = fixture.floats(0, 0);
        stream.run(fixture.context(fixture.engine("affine", TestModels.affine("n"))).bind(Map.of(
            "x", DeviceFixture.tensor(x, DataType.FLOAT32, 3), "y", DeviceFixture.tensor(y, DataType.FLOAT32, 2))));
        assertTrue(assertThrows(DeviceException.class, stream::synchronize).getMessage().contains("running affine"));
        assertArrayEquals(new float[] {0, 0}, fixture.read(y));
    }

    private ExecutionContext affine() {
        return fixture.context(fixture.engine("affine", TestModels.affine(1)));
    }

    private static Tensor one(Buffer buffer) {
        return DeviceFixture.tensor(buffer, DataType.FLOAT32, 1);
    }

    /** A buffer with a size and no memory, as this machine may not have that much. */
    private record ImaginaryBuffer(Device device, long bytes) implements Buffer {
        @Override
        public void close() {
            // It holds nothing.
        }
    }
}
