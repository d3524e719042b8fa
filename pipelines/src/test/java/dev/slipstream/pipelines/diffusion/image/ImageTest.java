package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageTest {
    private static Image solid(int width, int height, int value) {
        byte[] rgb = new byte[width * height * 3];
        Arrays.fill(rgb, (byte) value);
        return Image.of(width, height, rgb);
    }

    @Test
    void roundsAndClampsATensor() {
        float[] red = {-1, 1, 0, 7};
        float[] green = {-9, 0.5f, -0.5f, 0.0078f};
        float[] blue = {1 / 255f, -1 / 255f, 2.9f / 255f - 1, 3.1f / 255f - 1};
        float[] tensor = new float[12];
        System.arraycopy(red, 0, tensor, 0, 4);
        System.arraycopy(green, 0, tensor, 4, 4);
        System.arraycopy(blue, 0, tensor, 8, 4);
        Image image = Image.ofTensor(tensor, 2, 2);
        assertEquals(0x000080, image.rgbAt(0, 0));
        assertEquals(0xFFBF7F, image.rgbAt(1, 0));
        assertEquals(0x804001, image.rgbAt(0, 1));
        assertEquals(0xFF8002, image.rgbAt(1, 1));
    }

    @Test
    void saysWhereATensorIsNotANumber() {
        float[] tensor = new float[3 * 2 * 4];
        tensor[8 + 4 + 3] = Float.NaN;
        tensor[20] = Float.POSITIVE_INFINITY;
        String message = assertThrows(ArithmeticException.class, () -> Image.ofTensor(tensor, 4, 2)).getMessage();
        assertTrue(message.contains("NaN at channel 1, row 1, column 3 (2 of 24 values"), message);
    }

    @Test
    void enlargesEachPixelToASquare() {
        Image image = Image.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6}).enlarged(3);
        assertEquals("6x3", image.toString());
        for (int row = 0; row < 3; row++) {
            for (int column = 0; column < 6; column++) {
                assertEquals(column < 3 ? 0x010203 : 0x040506, image.rgbAt(column, row));
            }
        }
        assertThrows(IllegalArgumentException.class, () -> image.enlarged(0));
        assertThrows(ArithmeticException.class, () -> image.enlarged(1 << 20));
    }

    @Test
    void putsPicturesIntoAGridWithWhiteGaps() {
        Image grid = Image.grid(List.of(List.of(solid(3, 2, 1), solid(3, 2, 2)), List.of(solid(3, 2, 3))));
        assertEquals("8x6", grid.toString());
        assertEquals(0x010101, grid.rgbAt(2, 1));
        assertEquals(0x020202, grid.rgbAt(5, 0));
        assertEquals(0x030303, grid.rgbAt(0, 4));
        assertEquals(0xFFFFFF, grid.rgbAt(3, 0));
        assertEquals(0xFFFFFF, grid.rgbAt(0, 3));
        assertEquals(0xFFFFFF, grid.rgbAt(7, 5));
    }

    @Test
    void refusesGridsOfNothingAndOfUnequalPictures() {
        assertThrows(IllegalArgumentException.class, () -> Image.grid(List.of()));
        assertThrows(IllegalArgumentException.class, () -> Image.grid(List.of(List.of())));
        assertThrows(IllegalArgumentException.class,
            () -> Image.grid(List.of(List.of(solid(1, 1, 0), solid(1, 2, 0)))));
    }

    @Test
    void coversAnotherSizeInItsOwnProportionsAndIsCutEvenly() {
        Image wide = Image.grid(List.of(List.of(solid(4, 4, 10), solid(4, 4, 20))));
        assertSame(wide, wide.covering(10, 4));
        Image middle = wide.covering(2, 4);
        assertEquals("2x4", middle.toString());
        assertEquals(0xFFFFFF, middle.rgbAt(0, 0));
        assertEquals("20x4", wide.covering(20, 4).toString());
        assertEquals(solid(4, 4, 10).covering(7, 3), solid(7, 3, 10));
        for (int side = 1; side < 40; side++) {
            assertEquals(side + "x" + 3 * side, wide.covering(side, 3 * side).toString());
        }
    }

    @Test
    void cannotBeChangedThroughItsBytes() {
        byte[] rgb = {1, 2, 3};
        Image image = Image.of(1, 1, rgb);
        rgb[0] = 9;
        image.rgb()[1] = 9;
        assertEquals(0x010203, image.rgbAt(0, 0));
        assertEquals(Image.of(1, 1, new byte[] {1, 2, 3}), image);
        assertNotEquals(Image.of(1, 1, new byte[] {1, 2, 4}), image);
    }

    @Test
    void refusesBytesThatDoNotFitTheSize() {
        assertThrows(IllegalArgumentException.class, () -> Image.of(2, 2, new byte[11]));
        assertThrows(IllegalArgumentException.class, () -> Image.of(0, 2, new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> Image.ofTensor(new float[4], 2, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> solid(2, 2, 0).rgbAt(2, 0));
    }
}
