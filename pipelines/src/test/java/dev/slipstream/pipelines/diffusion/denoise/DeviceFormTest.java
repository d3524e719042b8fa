package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Heads;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Scale;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceFormTest {
    private static final Graph LONG =
        new AttentionSketch(1, 2, 512, 512, 8, 8, Heads.AXIS, Scale.SCORES, true).graph();
    private static final long MAP = 2 * 512 * 512 * 4;

    @ParameterizedTest
    @CsvSource({"cpu, ONNX_RUNTIME", "cpu:1, ONNX_RUNTIME", "cpu:99999, ONNX_RUNTIME", "cuda:0, STANDARD",
        "npu:0, STANDARD"})
    void theFormIsKnownBeforeADeviceIsOpen(String spec, DeviceForm form) {
        assertEquals(form, DeviceForm.of(DeviceSpec.parse(spec), Devices.discover()));
    }

    @Test
    void anOpenDeviceTakesTheFormThatWasSaidAndBuildsIt() {
        try (Device device = Devices.discover().open(DeviceSpec.parse("cpu:1"))) {
            DeviceForm form = DeviceForm.of(device);
            assertEquals(DeviceForm.of(DeviceSpec.parse("cpu:1"), Devices.discover()), form);
            try (Engine engine = form.build(device, "attention", LONG)) {
                assertEquals(3, engine.inputs().size());
            }
        }
    }

    /** {@code y = x · cast(w)} with halves in a file of so many bytes. */
    private static Graph halves(Path folder, long bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve("weights.bin").toFile(), "rw")) {
            // Most of it is a hole.
            file.setLength(bytes);
        }
        TensorProto weight = TensorProto.newBuilder().setName("halves").setDataType(TensorProto.DataType.FLOAT16_VALUE)
            .addDims(bytes / 2).setDataLocation(TensorProto.DataLocation.EXTERNAL).addExternalData(
                StringStringEntryProto.newBuilder().setKey("location").setValue("weights.bin")).build();
        return GraphProtos.read(new GraphSketch().input("x", 1).weight(weight)
            .node("Cast", "/a/Cast", List.of("halves"), "w",
                GraphSketch.integer("to", TensorProto.DataType.FLOAT_VALUE))
            .node("Mul", "/a/Mul", List.of("x", "w"), "y").output("y", bytes / 2).model(), Optional.of(folder));
    }

    @Test
    void halvesTakeTheRoomOfWhatTheyAreComputedAs(@TempDir Path folder) throws IOException {
        Graph graph = halves(folder, 1000);
        assertEquals(1000, DeviceForm.STANDARD.weightBytes(graph));
        assertEquals(2000, DeviceForm.ONNX_RUNTIME.weightBytes(graph));
    }

    @Test
    void onlyWeightsThatAreKeptAreShared(@TempDir Path folder) throws IOException {
        Graph small = halves(folder, EngineStore.WORTH_BYTES_OF_CPU - 2);
        assertFalse(DeviceForm.ONNX_RUNTIME.sharesWeights(small));
        Graph large = halves(folder, EngineStore.WORTH_BYTES_OF_CPU);
        assertTrue(DeviceForm.ONNX_RUNTIME.sharesWeights(large));
        assertFalse(DeviceForm.STANDARD.sharesWeights(large));
    }

    @Test
    void fusedAttentionNeedsNoRoomForItsMap() {
        assertSame(LONG, DeviceForm.STANDARD.of(LONG));
        // The products, the scaled products and what queries, keys and values become.
        assertEquals(2 * MAP + 512 * 16 * 4, DeviceForm.STANDARD.workBytes(LONG));
        assertEquals(512 * 16 * 4, DeviceForm.ONNX_RUNTIME.workBytes(LONG));
    }
}
