package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.Devices;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The devices that cases run on. It owns them. */
final class VerifyDevices implements AutoCloseable {
    private static final String CPU = "cpu";

    private final List<Device> devices;

    private VerifyDevices(List<Device> devices) {
        this.devices = devices;
    }

    /**
     * Opens devices of a kind: on the CPU as many as asked for; of another provider what the machine has, up to that
     * number, since results do not depend on how many there are.
     */
    static VerifyDevices open(DeviceSpec kind, int most) {
        Devices all = Devices.discover();
        if (kind.provider().equals(CPU)) {
            return new VerifyDevices(all.open(Collections.nCopies(most, kind)));
        }
        String provider = kind.provider();
        List<DeviceSpec> present = new ArrayList<>();
        for (DeviceProvider it : all.providers()) {
            if (it.name().equals(provider)) {
                present.addAll(it.list());
            }
        }
        if (present.isEmpty()) {
            // Opening what is not there says why it is not.
            all.open(new DeviceSpec(provider, "0")).close();
            throw new DeviceUnavailableException("provider " + provider + " lists no device");
        }
        return new VerifyDevices(all.open(present.subList(0, Math.min(most, present.size()))));
    }

    List<Device> list() {
        return devices;
    }

    @Override
    public void close() {
        devices.reversed().forEach(Device::close);
    }
}
