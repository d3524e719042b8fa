package dev.slipstream.pipelines.diffusion.planning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.WrappingProvider;
import dev.slipstream.bridge.cuda.CudaProvider;
import dev.slipstream.pipelines.cost.DeviceRates;
import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.cost.MachineProfile.Link;
import dev.slipstream.pipelines.cost.Profile;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.graph.precision.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known of a pipeline's devices, on paper. */
class PipelineSiteTest {
    private static final String FINGERPRINT = "of a denoiser that no cache has";
    private static final MachineProfile PROFILE = new MachineProfile(MachineProfile.FORMAT, "2026-11-30", "model",
        FINGERPRINT, "[1, 4, 16, 16]", List.of("cpu:1", "cpu:2"), List.of(profile("slow"), profile("quick")),
        List.of(new Link(0, 1, 3, 100), new Link(1, 0, 5, 200)), 1234);

    @TempDir
    private Path model;

    private static Profile profile(String name) {
        return new Profile(new DeviceRates(name, Basis.MEASURED, 1, 1, 1, 1, 1, 1, 1L << 30), Map.of());
    }

    private static List<DeviceSpec> devices(String... specs) {
        return Stream.of(specs).map(DeviceSpec::parse).toList();
    }

    private static List<String> names(Site site) {
        return site.times().stream().map(DeviceTimes::device).toList();
    }

    private Site found(String... specs) {
        return PipelineSite.of(devices(specs), Devices.discover(), Precision.FP32, model, FINGERPRINT);
    }

    @Test
    void whereNothingWasMeasuredDevicesAreEstimatedByTheirKind() {
        Site site = found("cpu:1", "cpu:4:spin=off", "cuda:99");
        assertEquals(List.of("a thread", "4 threads", "a GPU"), names(site));
        assertTrue(site.times().stream().allMatch(times -> times.basis() == Basis.ESTIMATED));
        assertEquals(List.of(DeviceForm.ONNX_RUNTIME, DeviceForm.ONNX_RUNTIME, DeviceForm.STANDARD), site.forms());
        double more = ((DeviceRates) site.times().get(1)).products() / ((DeviceRates) site.times().get(0)).products();
        assertTrue(more > 2 && more < 4, "four threads are worth " + more);
        assertTrue(found("cpu:1", "cpu:1").options().readsInPlace());
    }

    @Test
    void gpusThatAreThereAreEstimatedByTheirNameAndHaveTheirMemory() {
        Devices there = Devices.of(new WrappingProvider(new CudaProvider()) {
            @Override
            public Optional<Hardware> hardware(DeviceSpec spec) {
                return Optional.of(spec.selector().equals("0") ? new Hardware("NVIDIA GeForce RTX 4090", 24L << 30)
                    : new Hardware("NVIDIA of next year", 48L << 30));
            }

            @Override
            public Device open(DeviceSpec spec) {
                throw new DeviceUnavailableException("predictions open no device");
            }
        });
        Site site = PipelineSite.estimated(devices("cuda:0", "cuda:1"), there, Precision.FP16);
        assertEquals(List.of("RTX4090", "a GPU"), names(site));
        assertEquals(List.of(24L << 30, 48L << 30), site.times().stream().map(DeviceTimes::memoryBytes).toList());
    }

    @Test
    void aProfileBesideTheModelIsTakenForDevicesThatAreWrittenAlike() throws IOException {
        PROFILE.write(PipelineSite.beside(model));
        assertEquals(List.of("quick", "slow", "slow"), names(found("cpu:2", "cpu:1", "cpu:1")));
        assertEquals(1234, found("cpu:1").hostNanos());
        assertEquals(List.of("a thread", "3 threads"), names(found("cpu:1", "cpu:3")), "one was not measured");
    }

    @Test
    void linksAreThoseThatWereMeasuredBetweenTheTwo() throws IOException {
        PROFILE.write(PipelineSite.beside(model));
        Site site = found("cpu:2", "cpu:1");
        assertEquals(200, site.interconnect().route(0, 1).latencyNanos());
        assertEquals(5e9, site.interconnect().route(0, 1).links().getFirst().bytesPerSecond());
        assertEquals(100, site.interconnect().route(1, 0).latencyNanos());
        assertEquals(3e9, site.interconnect().route(1, 0).links().getFirst().bytesPerSecond());
    }

    @Test
    void aProfileThatIsDamagedOrOfAnotherDenoiserIsLeftOut() throws IOException {
        Files.writeString(PipelineSite.beside(model), "{\"format\":\"" + MachineProfile.FORMAT + "\"}");
        assertEquals(List.of("a thread"), names(found("cpu:1")));
        PROFILE.write(PipelineSite.beside(model));
        assertEquals(List.of("a thread"), names(PipelineSite.of(devices("cpu:1"), Devices.discover(), Precision.FP32,
            model, "of another one")));
    }

    @Test
    void aModelInOneFileHasItsProfileNextToIt() throws IOException {
        Path file = Files.createFile(model.resolve("sd.safetensors"));
        assertEquals(model.resolve("sd.safetensors.slipstream-profile.json"), PipelineSite.beside(file));
        assertEquals(model.resolve("slipstream-profile.json"), PipelineSite.beside(model));
    }
}
