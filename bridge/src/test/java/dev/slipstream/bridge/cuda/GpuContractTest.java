package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.contract.DeviceContractTest;
import dev.slipstream.bridge.contract.DeviceFixture;
import dev.slipstream.bridge.contract.TestModels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The CUDA provider on real GPUs: on two of them where there are two, else on one that is opened twice. */
@Tag("gpu")
class GpuContractTest extends DeviceContractTest {
    private static DeviceProvider gpus;

    @BeforeAll
    static void find() {
        gpus = RealGpus.orSkip();
    }

    @Override
    protected DeviceProvider provider() {
        return gpus;
    }

    @Override
    protected DeviceSpec spec() {
        return gpus.list().getFirst();
    }

    @Override
    protected DeviceSpec otherSpec() {
        List<DeviceSpec> all = gpus.list();
        return all.get(Math.min(1, all.size() - 1));
    }

    @Override
    protected DeviceFixture.Gate block(Stream stream) {
        return ValueGate.block(stream);
    }

    /** TensorRT wants tensors to begin at multiples of 256 bytes, which other devices do not ask for. */
    @Test
    @Override
    public void anEngineReadsAndWritesTheBoundBytesInPlace() {
        float[] before = new float[192];
        Arrays.fill(before, -1);
        Buffer buffer = fixture().floats(before);
        TensorType type = TensorType.of(DataType.FLOAT32, 2);
        Bindings bindings = fixture().context(fixture().engine("affine", TestModels.affine(2))).bind(Map.of(
            "x", new Tensor(buffer.slice(256, 8), type), "y", new Tensor(buffer.slice(512, 8), type)));
        Stream stream = fixture().stream();
        stream.upload(MemorySegment.ofArray(new float[] {10, 20}), buffer.slice(256, 8));
        stream.run(bindings);
        stream.synchronize();
        float[] expected = before.clone();
        expected[64] = 10;
        expected[65] = 20;
        expected[128] = 21;
        expected[129] = 41;
        assertArrayEquals(expected, fixture().read(buffer));
    }

    /** TensorRT takes float64 for float32, so this needs a type that its parser does not know; it names no tensor. */
    @Test
    @Override
    public void aGraphWithTypesThatNoDeviceCarriesIsRefused() {
        byte[] onnx = TestModels.identity(TensorProto.DataType.UINT16, 1);
        String message =
            assertThrows(EngineBuildException.class, () -> fixture().engine("short", onnx)).getMessage();
        assertTrue(message.contains("short") && message.contains(fixture().device().name()), message);
        assertEquals(1, message.lines().count(), message);
    }
}
