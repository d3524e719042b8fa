package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import dev.slipstream.bridge.rival.NativeLibraries;
import java.nio.file.Path;
import java.util.Optional;

/** The device of one of the drivers that take the place of CUDA's. One driver a process. */
public final class NativeGpu {
    private NativeGpu() {
    }

    /** @param driver {@code null} or {@code fake} */
    public static Device open(String driver, EngineCompiler compiler) {
        Path library = NativeLibraries.ofProcess().load(driver);
        return new CudaProvider(() -> DriverCheck.run(new DriverLibrary(Optional.of(library))), () -> compiler)
            .open(DeviceSpec.parse("cuda:0"));
    }
}
