package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.model.init.ModelFamily;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Families whose denoiser is a transformer, through the CUDA provider on the stand-in for its driver. */
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

    private byte[] draw(Devices providers, ImageRequest request, String... devices) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).providers(providers).devices(devices)
                .plan("asyncdiff:warmup=1").guarded(true).open()) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }
}
