package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.model.init.ModelFamily;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps and guidance of requests that do not say them. */
@Tag("slow")
class UsualNumbersTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"SD15, 50, 4", "SDXL, 50, 4", "SD3_MEDIUM, 28, 7", "SD35_MEDIUM, 28, 7", "FLUX_DEV, 28, 3.5",
        "FLUX_SCHNELL, 4, 0", "FLUX_FILL, 50, 30", "PIXART_ALPHA, 20, 4.5", "PIXART_SIGMA, 20, 4.5", "DIT, 50, 4"})
    void theyAreThoseOfTheFamilyUnlessTheRequestSaysThem(ModelFamily family, int steps, double guidance) {
        TinyFamily model = new TinyFamily(folder.resolve("model"));
        model.write(family);
        try (PipelineSpec spec = model.spec()) {
            ImageRequest plain = family == ModelFamily.FLUX_FILL ? ImageRequest.of("").withGiven(GivenImage.of(
                FamiliesTest.picture(64, 64)).withMask(FamiliesTest.mask(64, 64))) : ImageRequest.of("");
            ImageRequest completed = spec.completed(plain);
            assertEquals(steps, completed.steps().orElseThrow());
            assertEquals(guidance, completed.guidance().orElseThrow());
            ImageRequest said = spec.completed(plain.withSteps(7).withGuidance(2));
            assertEquals(7, said.steps().orElseThrow());
            assertEquals(2, said.guidance().orElseThrow());
        }
    }
}
