package dev.slipstream.bridge;

/**
 * Which device is meant: {@code PROVIDER[:SELECTOR]}. The provider says what the selector means.
 *
 * <p>For {@code cuda} it is the ordinal ({@code cuda:0}). For {@code cpu} it is the number of threads ({@code cpu:1},
 * which is also plain {@code cpu}), after which there may be, in any order:
 * <ul>
 * <li>{@code :spin=on} or {@code :spin=off}: whether threads that wait for the others of their device keep their core
 *     meanwhile, as in {@code cpu:2:spin=off}. On free cores that is faster for small models; on busy ones it takes up
 *     to twice the processor time. Without it ({@code :spin=auto}) they do while nobody else wants the core.
 * <li>{@code :cores=LIST}: the cores that the threads keep to, by the system's numbers, which begin at 0, as in
 *     {@code cpu:2:cores=0-1} or {@code cpu:2:cores=0+4} (Linux). Without it the system chooses, which is best unless
 *     it moves threads between sockets, or devices stand in each other's way.
 * </ul>
 */
public record DeviceSpec(String provider, String selector) {
    /** One thread of the machine's own processor: the device that is there where nothing else is. */
    public static final DeviceSpec HOST = cpu(1);

    public DeviceSpec {
        if (!provider.matches("[a-z][a-z0-9]*")) {
            throw new IllegalArgumentException("'" + provider + "' is no device provider; devices are written as "
                + "PROVIDER or PROVIDER:SELECTOR, for example cpu:1");
        }
    }

    /**
     * Threads of the machine's own processor.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static DeviceSpec cpu(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a CPU device has 1 or more threads, not " + threads);
        }
        return new DeviceSpec("cpu", Integer.toString(threads));
    }

    /**
     * A GPU.
     *
     * @param ordinal as CUDA counts those that the process may use, from 0
     * @throws IllegalArgumentException if it is negative
     */
    public static DeviceSpec cuda(int ordinal) {
        if (ordinal < 0) {
            throw new IllegalArgumentException("GPUs are counted from 0, so none is " + ordinal);
        }
        return new DeviceSpec("cuda", Integer.toString(ordinal));
    }

    /**
     * Reads {@code PROVIDER} or {@code PROVIDER:SELECTOR}, and looks for no device.
     *
     * @throws IllegalArgumentException if the provider's name is no name; an unknown one is found out by opening
     */
    public static DeviceSpec parse(String text) {
        int colon = text.indexOf(':');
        return colon < 0 ? new DeviceSpec(text.strip(), "")
            : new DeviceSpec(text.substring(0, colon).strip(), text.substring(colon + 1).strip());
    }

    @Override
    public String toString() {
        return selector.isEmpty() ? provider : provider + ":" + selector;
    }
}
