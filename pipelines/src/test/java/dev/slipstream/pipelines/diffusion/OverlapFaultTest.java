package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that overlap on GPUs, by the stand-in for the CUDA driver. */
@Timeout(300)
class OverlapFaultTest {
    private static final int INVALID_VALUE = 1;
    private static final int REQUESTS = 4;
    private static final int FAULTS = 40;

    @TempDir
    private Path model;

    private static DiffusionPipeline open(Path model, Devices providers, String plan, boolean overlapped,
        String... devices) {
        return DiffusionPipeline.of(model).providers(providers).devices(devices).plan(plan).overlapped(overlapped)
            .open();
    }

    private static List<Generation> submit(DiffusionPipeline pipeline) {
        return IntStream.range(0, REQUESTS).mapToObj(seed ->
            pipeline.submit(ImageRequest.of("red").withSteps(3).withSeed(seed))).toList();
    }

    private static byte[] picture(Generation generation) {
        return generation.result().join().image().rgb();
    }

    @ParameterizedTest
    @Tag("slow")
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:warmup=1"})
    void picturesAreThoseOfTheCpuOneAfterAnother(String plan) {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        List<byte[]> expected;
        try (DiffusionPipeline pipeline = open(model, Devices.discover(), plan, false, "cpu:1", "cpu:1")) {
            expected = submit(pipeline).stream().map(OverlapFaultTest::picture).toList();
        }
        try (FakeGpus gpus = FakeGpus.orSkip(2);
            DiffusionPipeline pipeline = open(model, Devices.of(gpus.provider()), plan, true, "cuda:0", "cuda:1")) {
            for (int round = 0; round < 3; round++) {
                List<Generation> all = submit(pipeline);
                for (int i = 0; i < REQUESTS; i++) {
                    assertArrayEquals(expected.get(i), picture(all.get(i)), "request " + i);
                }
            }
        }
    }

    @Test
    @Tag("slow")
    void aDriverCallThatFailsFailsOneRequestAndTheOthersHaveTheirBits() {
        RandomModel.write(model, Family.STABLE_DIFFUSION);
        Random random = new Random(5);
        int failures = 0;
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            try (DiffusionPipeline pipeline =
                open(model, Devices.of(gpus.provider()), "asyncdiff:warmup=1", true, "cuda:0", "cuda:1")) {
                List<byte[]> expected = submit(pipeline).stream().map(OverlapFaultTest::picture).toList();
                long before = gpus.driver().calls();
                submit(pipeline).forEach(OverlapFaultTest::picture);
                int calls = (int) (gpus.driver().calls() - before);
                for (int fault = 0; fault < FAULTS; fault++) {
                    gpus.driver().failCall(1 + random.nextInt(calls), INVALID_VALUE);
                    List<Generation> all = submit(pipeline);
                    List<String> failed = new ArrayList<>();
                    for (int i = 0; i < REQUESTS; i++) {
                        try {
                            assertArrayEquals(expected.get(i), picture(all.get(i)), "request " + i);
                        } catch (CompletionException failure) {
                            assertTrue(failure.getCause() instanceof DeviceException, failure.toString());
                            failed.add(failure.getCause().getMessage());
                        }
                    }
                    gpus.driver().failCall(0, 0);
                    assertTrue(failed.size() <= 1, failed::toString);
                    assertTrue(failed.stream().allMatch(message -> message.contains("cuda:")), failed::toString);
                    failures += failed.size();
                }
                submit(pipeline).forEach(OverlapFaultTest::picture);
                List<Device> devices = pipeline.devices();
                pipeline.close();
                devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
            }
        }
        assertTrue(failures > FAULTS / 4, failures + " of " + FAULTS + " faults were noticed");
    }
}
