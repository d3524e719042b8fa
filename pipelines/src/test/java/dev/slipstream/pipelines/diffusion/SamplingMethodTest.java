package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SamplingMethodTest {
    @Test
    void eachMethodThatIsKnownByNameIsATypeToo() {
        assertEquals(NoiseScheduler.methods(), Stream.of(SamplingMethod.values()).map(SamplingMethod::label).toList());
    }

    @Test
    void aMethodIsAskedForByTypeOrByName() {
        assertEquals(Optional.of("dpm++2m"), ImageRequest.of("").withScheduler(SamplingMethod.DPM_2M).scheduler());
        assertEquals(ImageRequest.of("").withScheduler("ddim"), ImageRequest.of("").withScheduler(SamplingMethod.DDIM));
    }
}
