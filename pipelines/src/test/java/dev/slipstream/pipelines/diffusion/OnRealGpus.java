package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.RealGpus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;

/** The devices of a test that needs GPUs, which is skipped where there are none. */
@Tag("gpu")
abstract class OnRealGpus {
    private final List<Device> opened = new ArrayList<>();

    /** So many devices; where there are more of them than GPUs, some share one. */
    List<Device> gpus(int count) {
        DeviceProvider provider = RealGpus.orSkip();
        List<DeviceSpec> specs = provider.list();
        return keep(Devices.of(provider).open(
            IntStream.range(0, count).mapToObj(index -> specs.get(index % specs.size())).toList()));
    }

    /** What the GPUs are compared with. */
    List<Device> cpus(int count) {
        return keep(Devices.discover().open(Collections.nCopies(count, DeviceSpec.parse("cpu:1"))));
    }

    private List<Device> keep(List<Device> devices) {
        opened.addAll(devices);
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        opened.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        opened.reversed().forEach(Device::close);
    }
}
