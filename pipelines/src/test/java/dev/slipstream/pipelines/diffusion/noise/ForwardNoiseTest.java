package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import org.junit.jupiter.api.Test;

class ForwardNoiseTest {
    private static final String BETAS = "\"num_train_timesteps\": 2, \"trained_betas\": [0.19, 0.75]";

    @Test
    void aTimestepMixesPictureAndNoiseByWhatIsLeftOfEach() {
        ForwardNoise noise = ForwardNoise.parse("{" + BETAS + "}", "this test");
        Mix first = noise.at(0);
        assertEquals(0.9, first.image(), 1e-12);
        assertEquals(Math.sqrt(0.19), first.noise(), 1e-12);
        Mix second = noise.at(1);
        assertEquals(0.45, second.image(), 1e-12);
        assertEquals(Math.sqrt(1 - 0.45 * 0.45), second.noise(), 1e-12);
    }

    @Test
    void withoutAnySignalInTheEndThatIsNoiseAlone() {
        Mix last = ForwardNoise.parse("{" + BETAS + ", \"rescale_betas_zero_snr\": true}", "this test").at(1);
        assertEquals(new Mix(0, 1), last);
    }

    @Test
    void timestepsThatDoNotExistAndOptionsThatAreNotKnownAreRefused() {
        ForwardNoise noise = ForwardNoise.parse("{" + BETAS + "}", "this test");
        assertThrows(NoiseSchedulerException.class, () -> noise.at(2));
        assertThrows(NoiseSchedulerException.class, () -> noise.at(-1));
        String message = assertThrows(NoiseSchedulerException.class,
            () -> ForwardNoise.parse("{\"brand_new\": 1}", "this test")).getMessage();
        assertTrue(message.contains("this test") && message.contains("brand_new"), message);
    }
}
