package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.SlipstreamException.Fault;
import dev.slipstream.pipelines.model.RequestException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pictures as files, streams and bytes, in each format. */
class ImageFormatTest {
    @TempDir
    private Path folder;

    private static Image smooth() {
        byte[] rgb = new byte[40 * 30 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i / 3 % 40 * 2 + i / 120 * 2 + i % 3 * 30);
        }
        return Image.of(40, 30, rgb);
    }

    private static int largestDifference(Image one, Image other) {
        byte[] a = one.rgb();
        byte[] b = other.rgb();
        assertEquals(a.length, b.length);
        int largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs((a[i] & 0xFF) - (b[i] & 0xFF)));
        }
        return largest;
    }

    @ParameterizedTest
    @EnumSource
    void whatIsWrittenIsReadFromFilesStreamsAndBytes(ImageFormat format) throws IOException {
        int tolerance = format == ImageFormat.PNG ? 0 : 12;
        Path file = folder.resolve("picture." + (format == ImageFormat.PNG ? "PNG" : "Jpeg"));
        smooth().write(file);
        assertTrue(largestDifference(smooth(), Image.read(file)) <= tolerance);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        smooth().write(out, format);
        assertEquals(Image.read(file), Image.read(new ByteArrayInputStream(out.toByteArray())));
        assertEquals(Image.read(file), Image.decode(smooth().encode(format)));
    }

    @Test
    void otherProgramsReadAJpegAndItIsSmall() throws IOException {
        byte[] jpeg = smooth().encode(ImageFormat.JPEG);
        BufferedImage read = ImageIO.read(new ByteArrayInputStream(jpeg));
        assertEquals("40x30", read.getWidth() + "x" + read.getHeight());
        assertTrue(jpeg.length < smooth().rgb().length, jpeg.length + " bytes");
    }

    @Test
    void picturesOfTheDesktopModuleAreTakenAndGiven() {
        BufferedImage given = new BufferedImage(3, 2, BufferedImage.TYPE_INT_ARGB);
        given.setRGB(2, 1, 0x80123456);
        assertEquals(0x123456, Image.of(given).rgbAt(2, 1));
        assertEquals(smooth(), Image.of(smooth().toBufferedImage()));
    }

    @Test
    void greyJpegsOfOthersAreRead() throws IOException {
        BufferedImage grey = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSamples(0, 0, 8, 8, 0, filled(64, 200));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(grey, "jpeg", out);
        int pixel = Image.decode(out.toByteArray()).rgbAt(3, 3);
        assertTrue((pixel & 0xFF) == (pixel >> 16 & 0xFF) && (pixel & 0xFF) > 150, Integer.toHexString(pixel));
    }

    private static int[] filled(int count, int value) {
        int[] all = new int[count];
        Arrays.fill(all, value);
        return all;
    }

    @Test
    void webpIsReadWhereAPluginIsOnTheClassPath() {
        // 1x1, as libwebp writes it.
        byte[] file = Base64.getDecoder().decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA");
        assertEquals("1x1", Image.decode(file).toString());
        String message = assertThrows(RequestException.class, () -> Image.decode(Arrays.copyOf(file, 20))).getMessage();
        assertTrue(message.startsWith("the picture is a WebP file that cannot be read"), message);
    }

    @Test
    void damagedJpegsAreRefusedInOneSentenceAndAreTheCallersFault() throws IOException {
        byte[] whole = smooth().encode(ImageFormat.JPEG);
        Random random = new Random(5);
        for (int attempt = 0; attempt < 300; attempt++) {
            byte[] damaged = Arrays.copyOf(whole, random.nextInt(3, whole.length + 1));
            damaged[random.nextInt(3, damaged.length + 1) - 1] ^= (byte) random.nextInt(1, 256);
            try {
                Image.decode(damaged);
            } catch (RequestException refused) {
                assertEquals(Fault.CALLER, refused.fault());
                assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
            }
        }
        Path file = Files.write(folder.resolve("cut.jpg"), Arrays.copyOf(whole, 60));
        String message = assertThrows(RequestException.class, () -> Image.read(file)).getMessage();
        assertTrue(message.startsWith(file + " is a JPEG file that cannot be read"), message);
    }

    @Test
    void otherEndingsAreRefused() {
        String message =
            assertThrows(IllegalArgumentException.class, () -> smooth().write(folder.resolve("a.gif"))).getMessage();
        assertTrue(message.contains(".png, .jpg or .jpeg"), message);
    }
}
