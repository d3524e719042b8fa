package dev.slipstream.bridge.contract;

import static dev.slipstream.bridge.contract.DeviceFixture.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs and tensors that do not fit: each is refused with a message that names it, before anything runs. */
public interface BindingContract {
    DeviceFixture fixture();

    @Test
    default void aMissingTensorIsNamed() {
        refused("'b'", Map.of("a", floats(2, 3), "sum", floats(2, 3), "difference", floats(2, 3)));
        refused("'sum'", Map.of("a", floats(2, 3), "b", floats(2, 3), "difference", floats(2, 3)));
    }

    @Test
    default void anUnknownTensorIsNamed() {
        Map<String, Tensor> tensors = new HashMap<>(good());
        tensors.put("extra", floats(1));
        refused("'extra'", tensors);
    }

    @Test
    default void aTensorOfTheWrongTypeOrShapeIsNamedWithBoth() {
        Buffer buffer = fixture().buffer(fixture().device(), 24);
        refused("'a' must be float32[?, 3], not int32[2, 3]", with("a", tensor(buffer, DataType.INT32, 2, 3)));
        refused("'a' must be float32[?, 3], not float32[3, 2]", with("a", floats(3, 2)));
        refused("'a' must be float32[?, 3], not float32[6]", with("a", floats(6)));
        refused("'sum' must be float32[?, 3], not float32[2, 3, 1]", with("sum", floats(2, 3, 1)));
    }

    @Test
    default void aTensorOnAnotherDeviceIsRefusedUnlessItIsAnInputThatIsReadInPlace() {
        Tensor there = tensor(fixture().buffer(fixture().other(), 24), DataType.FLOAT32, 2, 3);
        refused("'sum'", with("sum", there));
        Device.Traits traits = fixture().device().traits();
        if (!traits.readsInPlace() || !traits.hardware().equals(fixture().other().traits().hardware())) {
            refused("'a'", with("a", there));
            return;
        }
        Tensor a = tensor(fixture().floats(fixture().other(), 1, 2, 3, 4, 5, 6), DataType.FLOAT32, 2, 3);
        Buffer sum = fixture().buffer(fixture().device(), 24);
        Map<String, Tensor> tensors = new HashMap<>(with("sum", tensor(sum, DataType.FLOAT32, 2, 3)));
        tensors.put("a", a);
        tensors.put("b", a);
        Stream stream = fixture().stream();
        stream.run(fixture().context(engine()).bind(tensors));
        stream.synchronize();
        assertArrayEquals(new float[] {2, 4, 6, 8, 10, 12}, fixture().read(sum));
    }

    @Test
    default void anOutputMustNotOverlapAnything() {
        Buffer shared = fixture().buffer(fixture().device(), 28);
        TensorType type = TensorType.of(DataType.FLOAT32, 2, 3);
        Map<String, Tensor> tensors = new HashMap<>(good());
        tensors.put("a", new Tensor(shared.slice(0, 24), type));
        tensors.put("sum", new Tensor(shared.slice(4, 24), type));
        refused("'sum'", tensors);
        tensors.put("sum", good().get("sum"));
        tensors.put("b", new Tensor(shared.slice(4, 24), type));
        fixture().context(engine()).bind(tensors);
    }

    @Test
    default void aTensorMustBeginAtAnElement() {
        Buffer buffer = fixture().buffer(fixture().device(), 26);
        refused("'a'", with("a", new Tensor(buffer.slice(2, 24), TensorType.of(DataType.FLOAT32, 2, 3))));
    }

    @Test
    default void aDamagedGraphIsRefusedWithItsName() {
        byte[] onnx = TestModels.affine(1);
        byte[] half = Arrays.copyOf(onnx, onnx.length / 2);
        byte[] noise = new byte[500];
        Arrays.fill(noise, (byte) 0x5a);
        notBuilt("cut", half);
        notBuilt("noise", noise);
        notBuilt("nothing", new byte[0]);
        notBuilt("no/outputs", TestModels.withoutOutputs());
    }

    @Test
    default void aGraphWithTypesThatNoDeviceCarriesIsRefused() {
        String message = notBuilt("double", TestModels.identity(TensorProto.DataType.DOUBLE, 1));
        assertTrue(message.contains("'y'") || message.contains("'x'"), message);
    }

    @Test
    default void missingWeightsAreNamed(@TempDir Path folder) throws IOException {
        byte[] onnx = TestModels.addExternal(folder, 1, 2);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        EngineSource source = new EngineSource("lost", ByteBuffer.wrap(onnx), Optional.of(empty), Map.of());
        String message = assertThrows(EngineBuildException.class, () -> fixture().engine(source)).getMessage();
        assertTrue(message.contains("lost") && message.contains("weights.bin"), message);
    }

    private String notBuilt(String name, byte[] onnx) {
        String message = assertThrows(EngineBuildException.class, () -> fixture().engine(name, onnx)).getMessage();
        assertTrue(message.contains(name) && message.contains(fixture().device().name()), message);
        assertTrue(message.lines().count() == 1, message);
        return message;
    }

    private void refused(String expected, Map<String, Tensor> tensors) {
        ExecutionContext context = fixture().context(engine());
        String message = assertThrows(IllegalArgumentException.class, () -> context.bind(tensors)).getMessage();
        assertTrue(message.contains(expected) && message.contains("both"), message);
    }

    private Engine engine() {
        return fixture().engine("both", TestModels.sumAndDifference("batch", 3));
    }

    private Map<String, Tensor> good() {
        return Map.of("a", floats(2, 3), "b", floats(2, 3), "sum", floats(2, 3), "difference", floats(2, 3));
    }

    private Map<String, Tensor> with(String name, Tensor tensor) {
        Map<String, Tensor> tensors = new HashMap<>(good());
        tensors.put(name, tensor);
        return tensors;
    }

    private Tensor floats(long... dims) {
        TensorType type = TensorType.of(DataType.FLOAT32, dims);
        return new Tensor(fixture().buffer(fixture().device(), type.bytes()).all(), type);
    }
}
