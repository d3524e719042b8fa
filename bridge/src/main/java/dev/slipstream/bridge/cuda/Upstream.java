package dev.slipstream.bridge.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * The devices whose events a stream waits for since it was known to be idle. If one of them is given up, the stream may
 * never become idle again. One thread at a time.
 */
final class Upstream {
    private final List<CudaDevice> devices = new ArrayList<>();

    /** @param device null for an event that is nowhere */
    void add(CudaDevice device) {
        if (device != null && !devices.contains(device)) {
            devices.add(device);
        }
    }

    /** One that was given up, or null. */
    CudaDevice givenUp() {
        for (int i = 0; i < devices.size(); i++) { // no iterator, which would be an allocation
            if (devices.get(i).calls().health().isGivenUp()) {
                return devices.get(i);
            }
        }
        return null;
    }

    void clear() {
        devices.clear();
    }
}
