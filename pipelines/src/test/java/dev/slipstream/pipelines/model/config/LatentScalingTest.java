package dev.slipstream.pipelines.model.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LatentScalingTest {
    private static LatentScaling read(String json) {
        return DecoderConfig.of(new ConfigFile(Path.of("vae", "config.json"),
            JsonParser.parseString("{" + json.replace('\'', '"') + "}").getAsJsonObject())).scaling();
    }

    @Test
    void factorAndShiftAreForAllChannels() {
        LatentScaling scaling = read("'scaling_factor': 0.5, 'shift_factor': 0.25, 'latents_mean': null");

        assertEquals(LatentScaling.of(0.5, 0.25), scaling);
        assertEquals(2 * 3 + 0.25f, scaling.toDecoder(2, 3));
        assertEquals(3, scaling.fromEncoder(2, 6.25f));
    }

    @Test
    void meansAndDeviationsAreForOneChannelEach() {
        LatentScaling scaling = read("'scaling_factor': 0.5, 'shift_factor': 0, 'latent_channels': 2, "
            + "'latents_mean': [-1, 0.5], 'latents_std': [4, 2.0]");

        assertEquals(new LatentScaling(0.5, 0, List.of(-1.0, 0.5), List.of(4.0, 2.0)), scaling);
        assertEquals(3 * 4 / 0.5f - 1, scaling.toDecoder(0, 3));
        assertEquals(3 * 2 / 0.5f + 0.5f, scaling.toDecoder(1, 3));
        assertEquals(3, scaling.fromEncoder(0, 23));
        assertEquals(3, scaling.fromEncoder(1, 12.5f));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "'latents_mean': [0, 0, 0, 0] | latents_mean | needs latents_std",
        "'latents_std': [1, 1, 1, 1] | latents_std | needs latents_mean",
        "'latents_mean': [0, 0, 0], 'latents_std': [1, 1, 1, 1] | latents_mean | 4 channels, not 3",
        "'latents_mean': [0, 0, 0, 0], 'latents_std': [1, 0, 1, 1] | latents_std | must not have a 0",
        "'latents_mean': [0, 0, 0, 'x'], 'latents_std': [1, 1, 1, 1] | latents_mean | must be a number",
        "'latents_mean': 0, 'latents_std': 1 | latents_std | must be a list",
        "'latents_mean': [0, 0, 0, 0], 'latents_std': [1, 1, 1, 1], 'shift_factor': 0.1 | shift_factor | not supported",
        "'scaling_factor': 0 | scaling_factor | must not be 0"})
    void whatCannotBeFollowedIsRefusedByName(String json, String key, String part) {
        String message = assertThrows(ModelException.class, () -> read(json)).getMessage();

        assertTrue(message.contains("config.json: \"" + key + "\"") && message.contains(part), message);
    }
}
