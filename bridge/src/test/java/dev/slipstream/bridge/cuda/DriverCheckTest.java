package dev.slipstream.bridge.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.cuda.driver.DriverCheck;
import dev.slipstream.bridge.cuda.driver.DriverLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machines whose GPUs cannot be used: each says why, and what to do, in a few words. */
class DriverCheckTest {
    private static final int LONGEST = 300;

    @Test
    void aDriverWithAGpuIsReady() {
        FakeCuda fake = fake();
        fake.driverVersion(13_000);
        DriverCheck.Ready ready = assertInstanceOf(DriverCheck.Ready.class, run(fake.library()));
        assertEquals("13.0", ready.versionText());
        assertEquals(1, ready.gpus().size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "34  | CUDA_ERROR_STUB_LIBRARY                    | LD_LIBRARY_PATH",
        "100 | CUDA_ERROR_NO_DEVICE                       | CUDA_VISIBLE_DEVICES",
        "803 | CUDA_ERROR_SYSTEM_DRIVER_MISMATCH          | restart after the update",
        "804 | CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE  | compatibility library",
        "999 | CUDA_ERROR_UNKNOWN                         | nvidia-smi"})
    void aDriverThatDoesNotStartSaysItsCodeAndWhatToDo(int code, String name, String advice) {
        FakeCuda fake = fake();
        fake.initResult(code);
        Availability.Unavailable why = failed(fake.library());
        assertTrue(why.reason().contains(name + " (" + code + ")"), why.reason());
        assertTrue(why.remedy().contains(advice), why.remedy());
    }

    @Test
    void aDriverWithoutDevicesSaysSo() {
        FakeCuda fake = fake();
        fake.reset(0, 0);
        Availability.Unavailable why = failed(fake.library());
        assertTrue(why.reason().contains("CUDA_ERROR_NO_DEVICE (100)"), why.reason());
    }

    @Test
    void tooOldADriverSaysItsVersionAndTheOneThatIsNeeded() {
        FakeCuda fake = fake();
        fake.driverVersion(11_080);
        Availability.Unavailable why = failed(fake.library());
        assertTrue(why.reason().contains("CUDA 11.8"), why.reason());
        assertTrue(why.remedy().contains("CUDA 12.0"), why.remedy());
    }

    @Test
    void aFileThatIsNoLibraryIsNamed(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("libcuda.so.1"), "not a library");
        Availability.Unavailable why = failed(file);
        assertTrue(why.reason().contains(file.toString()), why.reason());
        assertTrue(why.remedy().contains("driver"), why.remedy());
    }

    @Test
    void aFileThatIsNotThereIsNamed(@TempDir Path folder) {
        Path file = folder.resolve("libcuda.so.1");
        assertTrue(failed(file).reason().contains(file.toString()));
    }

    @Test
    void theLibraryOfSomethingElseIsNoDriver(@TempDir Path folder) throws IOException {
        String name = System.mapLibraryName("zip");
        Path library = Files.copy(Path.of(System.getProperty("java.home"), "lib", name), folder.resolve(name));
        Availability.Unavailable why = failed(library);
        assertTrue(why.reason().contains("too old or no CUDA driver") && why.reason().contains("cuInit"), why.reason());
    }

    @Test
    void theProviderSaysOfADriverWithoutTensorRtThatOnlyThatIsMissing() {
        FakeCuda fake = fake();
        CudaProvider provider = provider(fake.library(), new Availability.Unavailable("no TensorRT", "install it"));
        assertEquals(new Availability.Unavailable("no TensorRT", "install it"), provider.availability());
        assertEquals(0, provider.list().size());
        String message = assertThrows(DeviceUnavailableException.class,
            () -> provider.open(DeviceSpec.parse("cuda:0"))).getMessage();
        assertEquals("cuda:0 cannot be used: no TensorRT; install it", message);
    }

    @Test
    void theProviderSaysWhatIsWrongWithDriverAndTensorRt() {
        FakeCuda fake = fake();
        fake.initResult(100);
        Availability.Unavailable both = assertInstanceOf(Availability.Unavailable.class,
            provider(fake.library(), new Availability.Unavailable("no TensorRT", "install it")).availability());
        assertTrue(both.reason().contains("CUDA_ERROR_NO_DEVICE") && both.reason().contains("no TensorRT"),
            both.reason());
        assertTrue(both.remedy().contains("nvidia-smi") && both.remedy().contains("install it"), both.remedy());
    }

    @Test
    void theProviderSaysWhatADeviceRunsOnWithoutOpeningIt() {
        FakeCuda fake = fake();
        CudaProvider provider = provider(fake.library(), new Availability.Unavailable("no TensorRT", "install it"));
        assertEquals(Optional.of(new DeviceProvider.Hardware("Stand-in GPU", 1 << 20)),
            provider.hardware(DeviceSpec.parse("cuda:0")));
        assertEquals(provider.hardware(DeviceSpec.parse("cuda:0")), provider.hardware(DeviceSpec.parse("cuda")));
        assertEquals(Optional.empty(), provider.hardware(DeviceSpec.parse("cuda:1")), "there is one");
        fake.initResult(100);
        assertEquals(Optional.empty(), provider(fake.library(), new Availability.Available("engines"))
            .hardware(DeviceSpec.parse("cuda:0")));
    }

    private static FakeCuda fake() {
        FakeCuda fake = FakeCuda.orSkip();
        fake.reset(1, 1 << 20);
        return fake;
    }

    private static DriverCheck run(Path library) {
        return DriverCheck.run(new DriverLibrary(Optional.of(library)));
    }

    private static Availability.Unavailable failed(Path library) {
        Availability.Unavailable why = assertInstanceOf(DriverCheck.Failed.class, run(library)).why();
        assertEquals(1, why.reason().lines().count(), why.reason());
        assertTrue(why.reason().length() <= LONGEST, why.reason());
        return why;
    }

    private static CudaProvider provider(Path library, Availability engines) {
        return new CudaProvider(() -> run(library), () -> new EngineCompiler() {
            @Override
            public Availability availability() {
                return engines;
            }

            @Override
            public CompiledEngine compile(EngineTarget target, EngineSource source) {
                throw new AssertionError("nothing is compiled here");
            }
        });
    }
}
