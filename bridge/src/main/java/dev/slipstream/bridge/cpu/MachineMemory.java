package dev.slipstream.bridge.cpu;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What the machine, or the container that this runs in, has. */
final class MachineMemory {
    private MachineMemory() {
    }

    /** Bytes of memory. The system may promise more than that, and end the process when the promise is called in. */
    static long bytes() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
            ? system.getTotalMemorySize() : Long.MAX_VALUE;
    }
}
