package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.cuda.FakeCuda;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call of the CUDA driver that a loop makes, from opening the devices to closing them, fails once. */
class CudaFaultTest {
    private static final int INVALID_VALUE = 1;
    private static final int LAUNCH_FAILED = 719;
    private static final int MOST_CALLS = 650;
    /** Few, as there are many kinds; each has others, at other places of its life. */
    private static final int CALLS_OF_A_KIND = 4;
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";

    @Test
    void whicheverDriverCallFailsItIsNamedNothingLeaksAndTheNextRunWorks() {
        AtomicInteger notRecorded = new AtomicInteger();
        sweep(INVALID_VALUE, 1, (driver, run) -> {
            if (isNamed(driver, run)) {
                notRecorded.incrementAndGet();
            }
        });
        assertTrue(notRecorded.get() > 0, "what fails in a recording is queued as it is");
    }

    /** Some calls, spread over the life of each kind of plan; more of them with {@code -Dfuzz=COUNT}. */
    @ParameterizedTest
    @Tag("slow")
    @EnumSource
    void ofEachKindOfPlanADriverCallThatFailsIsNamedAndLeavesNothingBehind(PlanKind kind) {
        PartitionedDenoiser partitioned = kind.partitioned();
        try (FakeGpus gpus = FakeGpus.orSkip(kind.devices())) {
            Supplier<float[]> life = () -> life(gpus, kind.devices(), devices -> kind.run(partitioned, devices));
            gpus.driver().patient();
            gpus.open(kind.devices()).reversed().forEach(Device::close);
            long before = gpus.driver().calls();
            float[] expected = life.get();
            long calls = gpus.driver().calls() - before;
            int tries = Integer.getInteger("fuzz", CALLS_OF_A_KIND);
            for (int index = 0; index < tries; index++) {
                // Those of other kinds lie between those of this one.
                long call = 1 + (calls * index + calls * kind.ordinal() / PlanKind.values().length) / tries;
                fail(gpus, call, INVALID_VALUE, driver -> isNamed(driver, life));
            }
            assertArrayEquals(expected, life.get(), "the next run works");
        }
    }

    /** Whether the loop went on without the call, which was told of; else its failure names it. */
    private static boolean isNamed(FakeCuda driver, Supplier<float[]> run) {
        try (LoggedWarnings refused = LoggedWarnings.ofReplays()) {
            Optional<DeviceException> failure = Optional.empty();
            try {
                run.get();
            } catch (DeviceException named) {
                failure = Optional.of(named);
            }
            String told = failure.map(Throwable::getMessage).orElseGet(() -> String.join("", refused.messages()));
            String name = driver.lastFailed();
            assertTrue(told.contains(name.replaceFirst("_v2$", "")) && told.contains("cuda:"),
                name + " failed, and all that is told is '" + told + "'");
            return failure.isEmpty();
        }
    }

    @Test
    void manyADriverCallThatLosesTheDeviceLeaksNothingAndTheNextRunWorks() {
        sweep(LAUNCH_FAILED, 4, CudaFaultTest::saysThatItIsLost);
    }

    @Test
    @Tag("slow")
    void whicheverDriverCallLosesTheDeviceNothingLeaksAndTheNextRunWorks() {
        sweep(LAUNCH_FAILED, 1, CudaFaultTest::saysThatItIsLost);
    }

    /** A lost device says so in whatever is called next; where nothing needs it any more, nobody has to know. */
    private static void saysThatItIsLost(FakeCuda driver, Supplier<float[]> run) {
        try {
            run.get();
        } catch (DeviceException failure) {
            assertTrue(failure.getMessage().contains("CUDA_ERROR_LAUNCH_FAILED")
                && failure.getMessage().contains("cuda:"), failure.getMessage());
        }
    }

    /** Fails calls once each. @param every 1 for all of them @param check runs the loop, and judges how it fails */
    private static void sweep(int code, int every, BiConsumer<FakeCuda, Supplier<float[]>> check) {
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            FakeCuda driver = gpus.driver();
            driver.patient();
            gpus.open(2).reversed().forEach(Device::close);
            long before = driver.calls();
            float[] expected = run(gpus);
            long calls = driver.calls() - before;
            Map<String, Integer> covered = new TreeMap<>();
            for (long call = 1; call <= calls; call += every) {
                covered.merge(fail(gpus, call, code, it -> check.accept(it, () -> run(gpus))), 1, Integer::sum);
            }
            assertArrayEquals(expected, run(gpus), "the next run works");
            assertTrue(calls < MOST_CALLS,
                () -> calls + " driver calls: a context is made current where it is already");
            System.out.println("of " + calls + " driver calls each " + (every == 1 ? "" : every + "th ")
                + "failed once with code " + code + ": " + covered);
        }
    }

    /** Fails one call. @param check runs the loop, and judges how it fails @return the name of the call */
    private static String fail(FakeGpus gpus, long call, int code, Consumer<FakeCuda> check) {
        gpus.driver().failCall(call, code);
        check.accept(gpus.driver());
        String name = gpus.driver().lastFailed();
        gpus.driver().failCall(0, 0);
        gpus.driver().newProcess();
        gpus.assertNothingLeft("call " + call + ", " + name);
        return name;
    }

    private static float[] run(FakeGpus gpus) {
        return life(gpus, 2, devices -> throughArrays(TinyDenoiser.run(PLAN, devices), devices.getFirst()));
    }

    /** A whole life: devices, engines, execution, latents. @param loop all but the devices */
    private static float[] life(FakeGpus gpus, int count, Function<List<Device>, float[]> loop) {
        List<Device> devices = gpus.open(count);
        DeviceException first = null;
        float[] latents = null;
        try {
            latents = loop.apply(devices);
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
