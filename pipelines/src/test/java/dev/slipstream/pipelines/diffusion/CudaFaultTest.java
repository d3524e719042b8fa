package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.cuda.FakeCuda;
import dev.slipstream.bridge.cuda.FakeGpus;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Every call of the CUDA driver that a loop makes, from opening the devices to closing them, fails once. */
class CudaFaultTest {
    private static final int INVALID_VALUE = 1;
    private static final int LAUNCH_FAILED = 719;
    private static final int MOST_CALLS = 650;
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";

    @Test
    void whicheverDriverCallFailsItIsNamedNothingLeaksAndTheNextRunWorks() {
        AtomicInteger notRecorded = new AtomicInteger();
        sweep(INVALID_VALUE, (driver, run) -> {
            try (LoggedWarnings refused = LoggedWarnings.ofReplays()) {
                String told;
                try {
                    run.get();
                    told = String.join("", refused.messages());
                    notRecorded.incrementAndGet();
                } catch (DeviceException failure) {
                    told = failure.getMessage();
                }
                String name = driver.lastFailed();
                assertTrue(told.contains(name.replaceFirst("_v2$", "")) && told.contains("cuda:"),
                    name + " failed, and all that is told is '" + told + "'");
            }
        });
        assertTrue(notRecorded.get() > 0, "what fails in a recording is queued as it is");
    }

    /** A lost device says so in whatever is called next; where nothing needs it any more, nobody has to know. */
    @Test
    void whicheverDriverCallLosesTheDeviceNothingLeaksAndTheNextRunWorks() {
        sweep(LAUNCH_FAILED, (driver, run) -> {
            try {
                run.get();
            } catch (DeviceException failure) {
                assertTrue(failure.getMessage().contains("CUDA_ERROR_LAUNCH_FAILED")
                    && failure.getMessage().contains("cuda:"), failure.getMessage());
            }
        });
    }

    /** Fails each call once. @param check runs the loop, and judges how it fails */
    private static void sweep(int code, BiConsumer<FakeCuda, Supplier<float[]>> check) {
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            FakeCuda driver = gpus.driver();
            driver.patient();
            gpus.open(2).reversed().forEach(Device::close);
            long before = driver.calls();
            float[] expected = run(gpus);
            long calls = driver.calls() - before;
            Map<String, Integer> covered = new TreeMap<>();
            for (long call = 1; call <= calls; call++) {
                driver.failCall(call, code);
                check.accept(driver, () -> run(gpus));
                String name = driver.lastFailed();
                driver.failCall(0, 0);
                driver.newProcess();
                gpus.assertNothingLeft("call " + call + ", " + name);
                covered.merge(name, 1, Integer::sum);
            }
            assertArrayEquals(expected, run(gpus), "the next run works");
            assertTrue(calls < MOST_CALLS,
                () -> calls + " driver calls: a context is made current where it is already");
            System.out.println(calls + " driver calls failed once each with code " + code + ": " + covered);
        }
    }

    /** A whole life: devices, engines, execution, latents. */
    private static float[] run(FakeGpus gpus) {
        List<Device> devices = gpus.open(2);
        DeviceException first = null;
        float[] latents = null;
        try {
            latents = throughArrays(TinyDenoiser.run(PLAN, devices), devices.getFirst());
        } catch (DeviceException failure) {
            first = failure;
        }
        for (Device device : devices.reversed()) {
            try {
                device.close();
            } catch (DeviceException failure) {
                first = first == null ? failure : first;
            }
        }
        if (first != null) {
            throw first;
        }
        return latents;
    }

    /** Up to a device and down again, from and to Java arrays, which go by way of pinned memory. */
    private static float[] throughArrays(float[] values, Device device) {
        float[] back = new float[values.length];
        try (Stream stream = device.newStream("arrays");
                Buffer buffer = device.allocate((long) values.length * Float.BYTES)) {
            stream.upload(MemorySegment.ofArray(values), buffer.all());
            stream.synchronize(); // the pinned memory is spare again, so that each life makes the same calls
            stream.download(buffer.all(), MemorySegment.ofArray(back));
            stream.synchronize();
        }
        return back;
    }
}
