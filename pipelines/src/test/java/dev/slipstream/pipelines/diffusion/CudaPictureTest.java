package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole pictures of the sample model through the CUDA provider, on the stand-in for its driver. */
class CudaPictureTest {
    private static final Path MODEL = Path.of("../samples/model");
    private static final ImageRequest STAR =
        ImageRequest.of("a large red star on a blue background").withSteps(8).withSeed(7);

    @ParameterizedTest
    @ValueSource(strings = {"sequential", "cfg-split", "asyncdiff:warmup=1", "asyncdiff:warmup=1,stride=2",
        "cfg-split+cache:every=2,warmup=1", "asyncdiff:warmup=1+guidance:every=2,warmup=1", "patches:n=2,warmup=2"})
    void thePictureIsThatOfTheCpu(String plan) {
        byte[] expected = draw(Devices.discover(), plan, STAR, "cpu:1", "cpu:1").getFirst().rgb();
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            assertArrayEquals(expected,
                draw(Devices.of(gpus.provider()), plan, STAR, "cuda:0", "cuda:1").getFirst().rgb());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cache:every=3", "cache:steps=0+1+5,depth=4", "guidance:stop=0.5",
        "cache:every=2,warmup=1+guidance:every=2", "cache:form=forecast,order=2,every=2,warmup=3",
        "cache:part=all,form=forecast,every=2,warmup=3"})
    void thePictureWithACacheIsThatOfTheCpu(String plan) {
        byte[] expected = draw(Devices.discover(), plan, STAR, "cpu:1").getFirst().rgb();
        assertFalse(Arrays.equals(expected, draw(Devices.discover(), "sequential", STAR, "cpu:1").getFirst().rgb()));
        try (FakeGpus gpus = FakeGpus.orSkip(1)) {
            assertArrayEquals(expected, draw(Devices.of(gpus.provider()), plan, STAR, "cuda:0").getFirst().rgb());
        }
    }

    @Test
    void aCacheWhoseInnerPartAlwaysRunsIsExact() {
        assertArrayEquals(draw(Devices.discover(), "sequential", STAR, "cpu:1").getFirst().rgb(),
            draw(Devices.discover(), "cache:every=1,depth=3", STAR, "cpu:1").getFirst().rgb());
    }

    @Test
    void everyPictureOfABatchIsThatOfTheCpu() {
        String plan = "asyncdiff:warmup=1";
        byte[] expected = draw(Devices.discover(), plan, STAR.withSeed(8), "cpu:1", "cpu:1").getFirst().rgb();
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            List<Image> both = draw(Devices.of(gpus.provider()), plan, STAR.withBatch(2), "cuda:0", "cuda:1");
            assertArrayEquals(expected, both.get(1).rgb());
        }
    }

    private static List<Image> draw(Devices providers, String plan, ImageRequest request, String... devices) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(MODEL).providers(providers).devices(devices).plan(plan)
                .guarded(true).open()) {
            return pipeline.submit(request).results().join().stream().map(GeneratedImage::image).toList();
        }
    }
}
