package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import java.util.BitSet;
import java.util.List;

/**
 * The CPU through ONNX Runtime. The selector of a device is its number of threads, 1 if there is none: two devices
 * {@code cpu:1} are two cores side by side, {@code cpu:2} is one device that uses both. Any thread may use it.
 */
public final class CpuProvider implements DeviceProvider {
    private final BitSet usedNumbers = new BitSet();
    private Availability availability;

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public synchronized Availability availability() {
        if (availability == null) {
            availability = OnnxRuntime.availability();
        }
        return availability;
    }

    @Override
    public List<DeviceSpec> list() {
        return availability().isAvailable() ? List.of(new DeviceSpec(name(), Integer.toString(cores()))) : List.of();
    }

    @Override
    public boolean usesOnnxRuntime() {
        return true;
    }

    @Override
    public synchronized Device open(DeviceSpec spec) {
        if (!spec.provider().equals(name())) {
            throw new DeviceUnavailableException(spec + " is no cpu device");
        }
        int threads = threads(spec);
        String runtime = switch (availability()) {
            case Availability.Available(String detail) -> detail;
            case Availability.Unavailable(String reason, String remedy) ->
                throw new DeviceUnavailableException(spec + " cannot be used: " + reason + "; " + remedy);
        };
        int number = usedNumbers.nextClearBit(0);
        usedNumbers.set(number);
        String description = threads + (threads == 1 ? " thread" : " threads") + " of " + cores() + " "
            + System.getProperty("os.arch") + " cores, " + runtime;
        return new CpuDevice(name() + ":" + number, threads, description, () -> giveBack(number));
    }

    private static int threads(DeviceSpec spec) {
        try {
            int threads = spec.selector().isEmpty() ? 1 : Integer.parseInt(spec.selector());
            if (threads >= 1 && threads <= cores()) {
                return threads;
            }
        } catch (NumberFormatException notANumber) {
            // The same answer as for a number that is out of range.
        }
        throw new DeviceUnavailableException("there is no device " + spec + "; after cpu: comes a number of threads, "
            + "here from 1 to " + cores());
    }

    private synchronized void giveBack(int number) {
        usedNumbers.clear(number);
    }

    private static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }
}
