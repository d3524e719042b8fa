package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.bridge.tensorrt.BuildOptions;
import dev.slipstream.bridge.tensorrt.TensorRtCompiler;

/**
 * The CUDA provider of this machine: its driver and its TensorRT. Where they are missing, the calling test is skipped
 * with the reason, or fails with it if the system property {@value #REQUIRED} is {@code true}.
 */
public final class RealGpus {
    /** Says that there must be a GPU here. */
    public static final String REQUIRED = "require.gpu";
    /** Engines of this name refuse to be queued. */
    static final String REFUSED = "bad/pick";

    /** One for the process, as TensorRT keeps the first log that it is given. */
    private static final DeviceProvider PROVIDER = new CudaProvider(() -> DriverCheck.run(DriverLibrary.ofProcess()),
        () -> new RefusingCompiler(new TensorRtCompiler(UserCache.folder(), new StoredEngines(EngineStore.ofUser()),
            BuildOptions.DEFAULT), REFUSED));

    private RealGpus() {
    }

    /** The driver of this machine with other engines; it may have no GPU. */
    public static DeviceProvider provider(EngineCompiler compiler) {
        return new CudaProvider(() -> DriverCheck.run(DriverLibrary.ofProcess()), () -> compiler);
    }

    /** The provider, which has at least one device. */
    public static DeviceProvider orSkip() {
        if (PROVIDER.availability() instanceof Availability.Unavailable why) {
            skip(why);
        }
        return PROVIDER;
    }

    /** The driver with at least one GPU; TensorRT need not be there. */
    static DriverCheck.Ready driverOrSkip() {
        return switch (DriverCheck.run(DriverLibrary.ofProcess())) {
            case DriverCheck.Ready ready -> ready;
            case DriverCheck.Failed(Availability.Unavailable why) -> {
                skip(why);
                throw new AssertionError("not reached");
            }
        };
    }

    private static void skip(Availability.Unavailable why) {
        String reason = why.reason() + "; " + why.remedy();
        if (Boolean.getBoolean(REQUIRED)) {
            fail("a GPU is required here, but " + reason);
        }
        abort(reason);
    }
}
