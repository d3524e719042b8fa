package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The CUDA provider on the stand-in for the driver, with engines on the host. Closing it fails if the provider left
 * anything behind. One at a time in a process.
 */
public final class FakeGpus implements AutoCloseable {
    private static final long DEVICE_BYTES = 1L << 32;

    private final FakeCuda driver;
    private final int count;
    private final HostEngines engines = new HostEngines();
    private final DeviceProvider provider;

    private FakeGpus(FakeCuda driver, int count, boolean capturesPeerCopies) {
        this.driver = driver;
        this.count = count;
        this.provider = new CudaProvider(
            () -> DriverCheck.run(new DriverLibrary(Optional.of(driver.library()))), () -> engines, capturesPeerCopies);
    }

    /** So many GPUs; the calling test is skipped where there is no C compiler. */
    public static FakeGpus orSkip(int count) {
        return orSkip(count, false);
    }

    /** Likewise, with captures that take copies between GPUs, as far as the driver takes them. */
    public static FakeGpus capturingPeerCopies(int count) {
        return orSkip(count, true);
    }

    private static FakeGpus orSkip(int count, boolean capturesPeerCopies) {
        FakeCuda driver = FakeCuda.orSkip();
        driver.reset(count, DEVICE_BYTES);
        return new FakeGpus(driver, count, capturesPeerCopies);
    }

    public DeviceProvider provider() {
        return provider;
    }

    public FakeCuda driver() {
        return driver;
    }

    public HostEngines engines() {
        return engines;
    }

    /** Opens devices on the GPUs in turn; where there are more devices than GPUs, some share one. */
    public List<Device> open(int devices) {
        return Devices.of(provider).open(IntStream.range(0, devices)
            .mapToObj(index -> new DeviceSpec("cuda", Integer.toString(index % count))).toList());
    }

    /** Fails if something is alive of a device that was closed. */
    public void assertNothingLeft(String after) {
        assertEquals(0, engines.liveObjects(), () -> after + ": engines and contexts that were not closed");
        assertEquals(0, driver.liveHandles(), () -> after + ": " + driver.liveReport());
    }

    @Override
    public void close() {
        // Devices that were given up are freed when another one is opened.
        driver.newProcess();
        provider.open(DeviceSpec.parse("cuda:0")).close();
        assertNothingLeft("at the end");
        engines.close();
    }
}
