package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.RequestException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against the JDK's own reader and writer. */
class PngReaderTest {
    private static final int WIDTH = 13;
    private static final int HEIGHT = 7;

    @TempDir
    private Path folder;

    private static BufferedImage noise(int type) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
        Random random = new Random(3);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                image.setRGB(x, y, random.nextInt() | 0xFF000000);
            }
        }
        return image;
    }

    private static byte[] png(BufferedImage image) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, "png", out));
        return out.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_BYTE_INDEXED,
        BufferedImage.TYPE_BYTE_BINARY})
    void colourTypesThatTheJdkWritesAreReadAsItReadsThem(int type) throws IOException {
        BufferedImage expected = noise(type);
        Image image = Image.decode(png(expected));
        assertEquals(WIDTH + "x" + HEIGHT, image.toString());
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                assertEquals(expected.getRGB(x, y) & 0xFFFFFF, image.rgbAt(x, y), x + "," + y);
            }
        }
    }

    /** The JDK would convert grey to a linear colour space, so its samples are compared. */
    @ParameterizedTest
    @CsvSource({"10, 0", "11, 8"})
    void greyOf8And16BitsIsReadFromItsUpperBits(int type, int shift) throws IOException {
        BufferedImage expected = noise(type);
        Image image = Image.decode(png(expected));
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int grey = expected.getRaster().getSample(x, y, 0) >> shift;
                assertEquals(grey * 0x010101, image.rgbAt(x, y));
            }
        }
    }

    @Test
    void whatIsWrittenHereIsReadAgain() {
        byte[] pixels = new byte[WIDTH * HEIGHT * 3];
        new Random(4).nextBytes(pixels);
        Image image = Image.of(WIDTH, HEIGHT, pixels);
        image.write(folder.resolve("a.png"), Map.of("Comment", "é"));
        assertEquals(image, Image.read(folder.resolve("a.png")));
    }

    @Test
    void damageGivesOneSentenceAndNothingElse() throws IOException {
        byte[] whole = png(noise(BufferedImage.TYPE_INT_RGB));
        Random random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] damaged = Arrays.copyOf(whole, round % 3 == 0 ? random.nextInt(whole.length) : whole.length);
            if (damaged.length > 0) {
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
            }
            try {
                Image.decode(damaged);
            } catch (RequestException expected) {
                refused++;
            }
        }
        assertTrue(refused > 2900, "checksums find nearly all, not only " + refused);
    }

    @Test
    void otherFilesAreRefusedByWhatTheyAre() throws IOException {
        assertRefused("there is no file", folder.resolve("none.png"));
        assertRefused("neither a PNG nor a JPEG",
            Files.writeString(folder.resolve("a.jpg"), "a picture, really, but none"));
        byte[] huge = png(noise(BufferedImage.TYPE_INT_RGB));
        Arrays.fill(huge, 16, 24, (byte) 0x7F);
        CRC32 checksum = new CRC32();
        checksum.update(huge, 12, 17);
        ByteBuffer.wrap(huge).putInt(29, (int) checksum.getValue());
        assertRefused("million are read", Files.write(folder.resolve("huge.png"), huge));
    }

    private static void assertRefused(String words, Path file) {
        String message = assertThrows(RequestException.class, () -> Image.read(file)).getMessage();
        assertTrue(message.contains(words) && message.startsWith(words.startsWith("there") ? words : file.toString()),
            message);
    }

    @Test
    void scalingKeepsFlatColoursAndMixesNeighbours() {
        byte[] flat = new byte[8 * 6 * 3];
        Arrays.fill(flat, (byte) 77);
        assertArrayEquals(Image.of(5, 9, filled(5 * 9 * 3)).rgb(), Image.of(8, 6, flat).scaledTo(5, 9).rgb());
        byte[] halves = {0, 0, 0, 0, 0, 0, (byte) 200, (byte) 200, (byte) 200, (byte) 200, (byte) 200, (byte) 200};
        Image halved = Image.of(4, 1, halves).scaledTo(2, 1);
        assertTrue((halved.rgbAt(0, 0) & 0xFF) < 60 && (halved.rgbAt(1, 0) & 0xFF) > 140, halved.toString());
        assertEquals(Image.of(4, 1, halves), Image.of(4, 1, halves).scaledTo(4, 1));
    }

    private static byte[] filled(int count) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) 77);
        return bytes;
    }
}
