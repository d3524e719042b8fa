package dev.slipstream.pipelines.model.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderConfigTest {
    private static DecoderConfig read(String json) {
        return DecoderConfig.of(new ConfigFile(Path.of("vae", "config.json"),
            JsonParser.parseString("{" + json.replace('\'', '"') + "}").getAsJsonObject()));
    }

    private static String widths(int blocks) {
        return "'block_out_channels': [" + "8, ".repeat(blocks - 1) + "8]";
    }

    @Test
    void whatIsNotSaidIsAsInStableDiffusion() {
        assertEquals(DecoderConfig.STABLE_DIFFUSION, read(""));
    }

    /** Every block but the last doubles the sides. */
    @ParameterizedTest
    @CsvSource({"1, 1", "4, 8", "16, 32768"})
    void theFactorFollowsFromTheBlocks(int blocks, int factor) {
        assertEquals(factor, read(widths(blocks)).spatialFactor());
    }

    @Test
    void theTinyAutoencoderHasANameOfItsOwnForTheBlocks() {
        assertEquals(4, read("'decoder_block_out_channels': [8, 8, 8]").spatialFactor());
    }

    @Test
    void aTileIsAsLargeAsThePicturesOfTheTrainingButNeverEmpty() {
        assertEquals(16, read(widths(4) + ", 'sample_size': 128").tileSide());
        assertEquals(16, read(widths(4) + ", 'sample_size': [128, 256]").tileSide());
        assertEquals(1, read(widths(4) + ", 'sample_size': 4").tileSide());
    }

    @Test
    void noBlocksAndFarTooManyAreRefused() {
        assertRefused("'block_out_channels': []", "not 0");
        assertRefused(widths(17), "at most 16, not 17");
    }

    private static void assertRefused(String json, String part) {
        String message = assertThrows(ModelException.class, () -> read(json)).getMessage();
        assertTrue(message.contains("config.json: \"block_out_channels\"") && message.contains(part), message);
    }
}
