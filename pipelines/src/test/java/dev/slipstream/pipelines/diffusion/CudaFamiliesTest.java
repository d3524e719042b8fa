package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.init.ModelFamily;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Families of transformers and of videos, through the CUDA provider on the stand-in for its driver. */
@Tag("slow")
@Timeout(240)
class CudaFamiliesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"SD3_MEDIUM, a red star", "FLUX_DEV, a red star", "PIXART_ALPHA, a red star", "DIT, golden retriever"})
    void thePictureIsThatOfTheCpu(ModelFamily family, String prompt) {
        new TinyFamily(folder).write(family);
        ImageRequest request = ImageRequest.of(prompt).withSteps(3).withSeed(7).withSize(32, 32);
        byte[] expected = draw(Devices.discover(), request, "cpu:1", "cpu:1");
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            assertArrayEquals(expected, draw(Devices.of(gpus.provider()), request, "cuda:0", "cuda:1"));
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"ANIMATEDIFF", "SVD"})
    void theFramesAreThoseOfTheCpu(ModelFamily family) {
        new TinyFamily(folder).write(family);
        VideoRequest plain = family == ModelFamily.SVD ? VideoRequest.of(FamiliesTest.picture(40, 30))
            : VideoRequest.of("a red star");
        VideoRequest request = plain.withSteps(3).withSeed(7).withFrames(3).withSize(32, 32);
        List<Image> expected = film(Devices.discover(), request, "cpu:1", "cpu:1");
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            List<Image> actual = film(Devices.of(gpus.provider()), request, "cuda:0", "cuda:1");
            for (int frame = 0; frame < expected.size(); frame++) {
                assertOneLevel(expected.get(frame).rgb(), actual.get(frame).rgb());
            }
        }
    }

    /** Attention is one operator on CPU devices, and rounds in another order there. */
    private static void assertOneLevel(byte[] expected, byte[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i] & 0xFF, actual[i] & 0xFF, 1);
        }
    }

    private List<Image> film(Devices providers, VideoRequest request, String... devices) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).providers(providers).devices(devices)
                .plan("asyncdiff:warmup=1").guarded(true).open()) {
            return pipeline.submit(request).result().join().frames();
        }
    }

    private byte[] draw(Devices providers, ImageRequest request, String... devices) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).providers(providers).devices(devices)
                .plan("asyncdiff:warmup=1").guarded(true).open()) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }
}
