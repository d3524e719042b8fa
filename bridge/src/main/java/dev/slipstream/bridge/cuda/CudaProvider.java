package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import dev.slipstream.bridge.cuda.driver.Gpu;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * GPUs through the CUDA driver, with engines by an {@link EngineCompiler}. The selector of a device is its ordinal, 0
 * if there is none. A GPU may be opened more than once ({@code cuda:0,cuda:0}): its devices then share it. Any thread
 * may use it.
 */
public final class CudaProvider implements DeviceProvider {
    /**
     * System property: {@code true} lets streams capture copies between GPUs. No documentation says whether CUDA can
     * capture these, so they stay outside unless a check of the machine has shown it (docs/gpu.md).
     */
    public static final String CAPTURE_PEER_COPIES = "slipstream.cuda.capture-peer-copies";

    private final Supplier<DriverCheck> driverCheckMaker;
    private final Supplier<EngineCompiler> compilerMaker;
    private final boolean capturesPeerCopies;
    private final Set<String> usedNames = new HashSet<>();
    private final List<CudaDevice> stuck = new ArrayList<>();
    private DriverCheck driverCheck;
    private EngineCompiler compiler;

    /** The system's driver and the engine compiler of this process; both are looked for when they are needed. */
    public CudaProvider() {
        this(() -> DriverCheck.run(DriverLibrary.ofProcess()), CudaProvider::compilerOfProcess);
    }

    private static EngineCompiler compilerOfProcess() {
        return ServiceLoader.load(EngineCompiler.class, CudaProvider.class.getClassLoader()).findFirst()
            .orElseThrow(() -> new IllegalStateException("the service of the engine compiler was left out"));
    }

    CudaProvider(Supplier<DriverCheck> driverCheck, Supplier<EngineCompiler> compiler) {
        this(driverCheck, compiler, Boolean.getBoolean(CAPTURE_PEER_COPIES));
    }

    CudaProvider(Supplier<DriverCheck> driverCheck, Supplier<EngineCompiler> compiler, boolean capturesPeerCopies) {
        this.driverCheckMaker = driverCheck;
        this.compilerMaker = compiler;
        this.capturesPeerCopies = capturesPeerCopies;
    }

    @Override
    public String name() {
        return "cuda";
    }

    private synchronized DriverCheck driverCheck() {
        if (driverCheck == null) {
            driverCheck = driverCheckMaker.get();
        }
        return driverCheck;
    }

    private synchronized EngineCompiler compiler() {
        if (compiler == null) {
            compiler = compilerMaker.get();
        }
        return compiler;
    }

    @Override
    public Availability availability() {
        Availability engines = compiler().availability();
        return switch (driverCheck()) {
            case DriverCheck.Failed(Availability.Unavailable why) -> engines instanceof Availability.Unavailable also
                ? new Availability.Unavailable(why.reason() + "; " + also.reason(), why.remedy() + "; " + also.remedy())
                : why;
            case DriverCheck.Ready ready -> switch (engines) {
                case Availability.Unavailable missing -> missing;
                case Availability.Available(String detail) -> new Availability.Available("CUDA driver "
                    + ready.versionText() + ", " + detail + ", "
                    + ready.gpus().stream().map(Gpu::name).collect(Collectors.joining(", ")));
            };
        };
    }

    @Override
    public List<DeviceSpec> list() {
        return availability().isAvailable() && driverCheck() instanceof DriverCheck.Ready ready
            ? ready.gpus().stream().map(gpu -> new DeviceSpec(name(), Integer.toString(gpu.ordinal()))).toList()
            : List.of();
    }

    @Override
    public Device.Traits traits(DeviceSpec spec) {
        return new Device.Traits(name() + ":" + (spec.selector().isEmpty() ? "0" : spec.selector()),
            Device.Traits.Dialect.ONNX, EnumSet.allOf(DataType.class), true, false,
            capturesPeerCopies ? Device.Traits.Capture.PEER_COPIES : Device.Traits.Capture.OWN_MEMORY, true);
    }

    @Override
    public Optional<Hardware> hardware(DeviceSpec spec) {
        return driverCheck() instanceof DriverCheck.Ready ready
            ? gpu(ready, spec).map(gpu -> new Hardware(gpu.name(), gpu.totalBytes())) : Optional.empty();
    }

    private static Optional<Gpu> gpu(DriverCheck.Ready ready, DeviceSpec spec) {
        return ready.gpus().stream()
            .filter(each -> Integer.toString(each.ordinal()).equals(spec.selector().isEmpty() ? "0" : spec.selector()))
            .findFirst();
    }

    @Override
    public Device open(DeviceSpec spec) {
        if (!spec.provider().equals(name())) {
            throw new DeviceUnavailableException(spec + " is no cuda device");
        }
        if (availability() instanceof Availability.Unavailable(String reason, String remedy)) {
            throw new DeviceUnavailableException(spec + " cannot be used: " + reason + "; " + remedy);
        }
        DriverCheck.Ready ready = (DriverCheck.Ready) driverCheck();
        Gpu gpu = gpu(ready, spec).orElseThrow(() -> new DeviceUnavailableException("there is no device " + spec
            + "; there is " + list().stream().map(DeviceSpec::toString).collect(Collectors.joining(", "))));
        freeStuck();
        String deviceName = reserveName(gpu.ordinal());
        try {
            return new CudaDevice(deviceName, gpu, ready, compiler(), traits(spec), this::closed);
        } catch (RuntimeException failure) {
            giveBack(deviceName);
            throw failure;
        }
    }

    /** {@code cuda:0}, and {@code cuda:0/2} for the second device of the same GPU. */
    private synchronized String reserveName(int ordinal) {
        String first = name() + ":" + ordinal;
        String free = first;
        for (int number = 2; !usedNames.add(free); number++) {
            free = first + "/" + number;
        }
        return free;
    }

    /** @param freed whether nothing of the device is left */
    private synchronized void closed(CudaDevice device, boolean freed) {
        giveBack(device.name());
        if (!freed) {
            stuck.add(device);
        }
    }

    /** Closed devices whose work did not end then: maybe it has by now. */
    private synchronized void freeStuck() {
        stuck.removeIf(CudaDevice::tryToFree);
    }

    private synchronized void giveBack(String deviceName) {
        usedNames.remove(deviceName);
    }
}
