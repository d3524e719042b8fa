package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Engine;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Heads;
import dev.slipstream.pipelines.graph.fusion.AttentionSketch.Scale;
import org.junit.jupiter.api.Test;
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

    @Test
    void fusedAttentionNeedsNoRoomForItsMap() {
        assertSame(LONG, DeviceForm.STANDARD.of(LONG));
        // The products, the scaled products and what queries, keys and values become.
        assertEquals(2 * MAP + 512 * 16 * 4, DeviceForm.STANDARD.workBytes(LONG));
        assertEquals(512 * 16 * 4, DeviceForm.ONNX_RUNTIME.workBytes(LONG));
    }
}
