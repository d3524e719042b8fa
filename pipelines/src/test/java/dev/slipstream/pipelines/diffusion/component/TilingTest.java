package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TilingTest {
    private static final int FACTOR = 2;

    private static Planes random(int channels, int height, int width) {
        Planes planes = Planes.of(channels, height, width);
        Random random = new Random(3);
        for (int i = 0; i < planes.values().length; i++) {
            planes.values()[i] = (float) random.nextGaussian();
        }
        return planes;
    }

    private static Planes decode(Tiling tiling, Planes latents, UnaryOperator<Planes> decode) {
        return tiling.join(latents.height(), latents.width(),
            (top, left) -> decode.apply(latents.cut(top, left, tiling.height(), tiling.width())));
    }

    /** Every latent pixel becomes a square of pixels, whatever is around it. */
    private static Planes enlarge(Planes tile) {
        Planes large = Planes.of(tile.channels(), tile.height() * FACTOR, tile.width() * FACTOR);
        for (int i = 0; i < large.values().length; i++) {
            int x = i % large.width();
            int y = i / large.width() % large.height();
            int channel = i / large.width() / large.height();
            large.values()[i] =
                tile.values()[(channel * tile.height() + y / FACTOR) * tile.width() + x / FACTOR];
        }
        return large;
    }

    @Test
    void tilesBeginWhereThoseOfDiffusersDoAndTheLastEndsAtTheEdge() {
        assertEquals(List.of(0, 48, 96, 128), Tiling.starts(192, 64));
        assertEquals(List.of(0, 48), Tiling.starts(112, 64));
        assertEquals(List.of(0), Tiling.starts(64, 64));
        assertEquals(List.of(0, 1, 2), Tiling.starts(3, 1));
    }

    @Test
    void whatDependsOnNoNeighboursIsTheSameInTiles() {
        Planes latents = random(3, 13, 19);

        Planes picture = decode(new Tiling(8, 7), latents, TilingTest::enlarge);

        assertEquals(26, picture.height());
        assertEquals(38, picture.width());
        assertArrayEquals(enlarge(latents).values(), picture.values(), 1e-6f);
    }

    @Test
    void aSingleTileIsDecodedAsItIs() {
        Planes latents = random(2, 5, 6);
        List<Planes> seen = new ArrayList<>();

        Planes picture = decode(Tiling.of(64, 5, 6), latents, tile -> {
            seen.add(tile);
            return enlarge(tile);
        });

        assertEquals(1, seen.size());
        assertArrayEquals(latents.values(), seen.getFirst().values());
        assertArrayEquals(enlarge(latents).values(), picture.values());
    }

    /** Tiles that do not agree must not show: from pixel to pixel the picture changes by a step of the fading. */
    @Test
    void tilesFadeIntoEachOther() {
        int[] count = {0};

        Planes picture = new Tiling(8, 8).join(8, 20, (top, left) -> {
            Planes constant = Planes.of(1, 16, 16);
            Arrays.fill(constant.values(), count[0]++);
            return constant;
        });

        assertEquals(3, count[0]);
        for (int x = 1; x < picture.width(); x++) {
            float step = picture.values()[x] - picture.values()[x - 1];
            assertTrue(step >= 0 && step <= 0.26f, "a step of " + step + " at " + x);
        }
        assertEquals(2, picture.values()[picture.width() - 1]);
    }
}
