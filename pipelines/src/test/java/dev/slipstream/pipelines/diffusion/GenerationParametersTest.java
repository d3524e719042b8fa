package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.GeneratedImage.GenerationParameters;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GenerationParametersTest {
    @Test
    void theyAreWrittenAsOtherToolsReadThem() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("Steps", "50");
        settings.put("Sampler", "ddim");
        settings.put("CFG scale", "4");
        settings.put("Seed", "7");
        settings.put("Size", "32x32");
        settings.put("Model", "mine, \"best\": one");
        assertEquals("""
            a red star
            Negative prompt: blurry
            Steps: 50, Sampler: ddim, CFG scale: 4, Seed: 7, Size: 32x32, Model: "mine, \\"best\\": one\"""",
            new GenerationParameters("a red star", "blurry", settings).text());
        assertEquals("a red star\nSteps: 1", new GenerationParameters("a red star", " ", Map.of("Steps", "1")).text());
    }
}
