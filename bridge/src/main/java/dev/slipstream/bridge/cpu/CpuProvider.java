package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The CPU through ONNX Runtime. The selector of a device begins with its number of threads, 1 if there is none:
 * two devices {@code cpu:1} are two cores side by side, {@code cpu:2} is one device that uses both. {@link DeviceSpec}
 * says what may follow. Any thread may use it.
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
    public Device.Traits traits(DeviceSpec spec) {
        return CpuDevice.TRAITS;
    }

    @Override
    public synchronized Device open(DeviceSpec spec) {
        if (!spec.provider().equals(name())) {
            throw new DeviceUnavailableException(spec + " is no cpu device");
        }
        CpuShare share = share(spec);
        String runtime = switch (availability()) {
            case Availability.Available(String detail) -> detail;
            case Availability.Unavailable(String reason, String remedy) ->
                throw new DeviceUnavailableException(spec + " cannot be used: " + reason + "; " + remedy);
        };
        int number = usedNumbers.nextClearBit(0);
        usedNumbers.set(number);
        String description = share.threads() + (share.threads() == 1 ? " thread" : " threads") + " of " + cores() + " "
            + System.getProperty("os.arch") + " cores, " + runtime;
        return new CpuDevice(name() + ":" + number, share, description, KeptEngines.ofUser(),
            () -> giveBack(number));
    }

    private static CpuShare share(DeviceSpec spec) {
        CpuShare share = CpuShare.parse(spec.selector())
            .filter(it -> it.threads() >= 1 && it.threads() <= cores())
            .orElseThrow(() -> new DeviceUnavailableException("there is no device " + spec + "; after cpu: comes a "
                + "number of threads, here from 1 to " + cores() + ", and if need be :spin=on or :spin=off, and "
                + ":cores=LIST like :cores=0-1+4"));
        if (!share.cores().isEmpty()) {
            requireCores(spec, share);
        }
        return share;
    }

    /** Tries them out on a thread of its own. */
    private static void requireCores(DeviceSpec spec, CpuShare share) {
        if (!Cores.canBind()) {
            throw new DeviceUnavailableException(spec + " cannot be used: this system does not bind threads to cores; "
                + "leave out :cores=");
        }
        if (share.cores().cardinality() < share.threads()) {
            throw new DeviceUnavailableException(spec + " cannot be used: it has more threads than cores; name as many "
                + "cores, or take fewer threads");
        }
        FutureTask<Boolean> trial = new FutureTask<>(() -> Cores.bind(share.cores()));
        Thread.ofPlatform().daemon().name("tries cores").start(trial);
        try {
            if (!trial.get()) {
                throw new DeviceUnavailableException(spec + " cannot be used: this process may use none of these "
                    + "cores; the system's numbers begin at 0");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new DeviceUnavailableException(spec + " was not opened, as the thread was interrupted");
        } catch (ExecutionException failed) {
            throw new DeviceUnavailableException(spec + " cannot be used: " + failed.getCause().getMessage());
        }
    }

    private synchronized void giveBack(int number) {
        usedNumbers.clear(number);
    }

    private static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }
}
