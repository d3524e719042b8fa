package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.FakeCuda;
import dev.slipstream.bridge.cuda.FakeGpus;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Every call of the CUDA driver that a loop makes, from opening the devices to closing them, fails once. */
class CudaFaultTest {
    private static final int INVALID_VALUE = 1;
    private static final int LAUNCH_FAILED = 719;
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";

    @Test
    void whicheverDriverCallFailsNothingLeaksAndTheNextRunWorks() {
        sweep(INVALID_VALUE, DeviceException.class);
    }

    @Test
    void whicheverDriverCallLosesTheDeviceNothingLeaksAndTheNextRunWorks() {
        sweep(LAUNCH_FAILED, DeviceException.class);
    }

    private static void sweep(int code, Class<? extends DeviceException> type) {
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            FakeCuda driver = gpus.driver();
            driver.patient();
            gpus.open(2).reversed().forEach(Device::close);
            long before = driver.calls();
            float[] expected = run(gpus);
            long calls = driver.calls() - before;
            TreeMap<String, Integer> covered = new TreeMap<>();
            for (long call = 1; call <= calls; call++) {
                long number = call;
                driver.failCall(call, code);
                DeviceException failure = assertThrows(type, () -> run(gpus),
                    () -> "call " + number + ", " + driver.lastFailed() + ", failed, and nobody noticed");
                String name = driver.lastFailed();
                assertTrue(mentions(failure, name), () -> name + " failed, but: " + failure);
                driver.failCall(0, 0);
                gpus.assertNothingLeft();
                covered.merge(name, 1, Integer::sum);
            }
            assertArrayEquals(expected, run(gpus), "the next run works");
            assertEquals(calls, covered.values().stream().mapToInt(it -> it).sum());
            System.out.println(calls + " driver calls failed once each with code " + code + ": " + covered);
        }
    }

    private static boolean mentions(DeviceException failure, String call) {
        String name = call.replaceFirst("_v2$", "");
        return failure.getMessage().contains(name) && failure.getMessage().contains("cuda:");
    }

    /** A whole life: devices, engines, execution, latents. */
    private static float[] run(FakeGpus gpus) {
        List<Device> devices = gpus.open(2);
        DeviceException first = null;
        float[] latents = null;
        try {
            latents = TinyDenoiser.run(PLAN, devices);
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
}
