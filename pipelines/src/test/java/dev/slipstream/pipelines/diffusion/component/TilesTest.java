package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Tiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TilesTest {
    @Test
    void tilesAreOffOfTheModelOrOfASize() {
        assertEquals(new Tiles.Whole(), Tiles.parse("off"));
        assertEquals(new Tiles.OfModel(), Tiles.parse("auto"));
        assertEquals(new Tiles.OfSide(512), Tiles.parse(" 512 "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "on", "-8", "0", "512x512", "99999999999"})
    void allElseIsRefused(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Tiles.parse(text)).getMessage();
        assertTrue(message.contains(text), message);
    }
}
