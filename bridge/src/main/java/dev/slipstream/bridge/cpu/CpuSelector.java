package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;

/**
 * What the selector of a CPU device says: {@code THREADS[:exact]}, one thread if it says nothing.
 *
 * @param exact whether an operator gives the same bits whatever stands next to it in its graph, so that a model cut
 *     into segments equals the whole one bit for bit. That excludes ONNX Runtime's layout optimisation, which fuses
 *     additions into the convolutions before them, and fused attention: the sample model takes 1.2 to 1.3 times as
 *     long
 */
record CpuSelector(int threads, boolean exact) {
    private static final String EXACT = "exact";

    static boolean saysExact(DeviceSpec spec) {
        return (":" + spec.selector()).endsWith(":" + EXACT);
    }

    static CpuSelector read(DeviceSpec spec, int cores) {
        String[] parts = spec.selector().split(":", -1);
        boolean exact = saysExact(spec);
        String number = exact && parts.length == 1 ? "" : parts[0];
        try {
            int threads = number.isEmpty() ? 1 : Integer.parseInt(number);
            if (threads >= 1 && threads <= cores && parts.length <= (exact ? 2 : 1)) {
                return new CpuSelector(threads, exact);
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        throw new DeviceUnavailableException("there is no device " + spec + "; after cpu: comes a number of threads, "
            + "here from 1 to " + cores + ", and maybe :" + EXACT);
    }
}
