package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;

class PngFileTest {
    @Property(tries = 200)
    void theJdkReadsTheSamePixels(@ForAll @IntRange(min = 1, max = 40) int width,
        @ForAll @IntRange(min = 1, max = 40) int height, @ForAll long seed, @ForAll boolean smooth) throws IOException {
        Random random = new Random(seed);
        byte[] rgb = new byte[width * height * 3];
        random.nextBytes(rgb);
        if (smooth) {
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = (byte) (i / 3 % width * 5 + i / 3 / width * 3 + i % 3 * 40 + random.nextInt(2));
            }
        }
        Image image = Image.of(width, height, rgb);
        BufferedImage read = ImageIO.read(new ByteArrayInputStream(image.encode(ImageFormat.PNG, Map.of())));
        assertEquals(width, read.getWidth());
        assertEquals(height, read.getHeight());
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                assertEquals(image.rgbAt(column, row), read.getRGB(column, row) & 0xFFFFFF);
            }
        }
    }

    private static Map<String, String> texts(byte[] png, String chunk) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        reader.setInput(ImageIO.createImageInputStream(new ByteArrayInputStream(png)));
        IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
        Map<String, String> texts = new LinkedHashMap<>();
        NodeList entries = root.getElementsByTagName(chunk + "Entry");
        for (int i = 0; i < entries.getLength(); i++) {
            IIOMetadataNode entry = (IIOMetadataNode) entries.item(i);
            texts.put(entry.getAttribute("keyword"), entry.getAttribute(chunk.equals("tEXt") ? "value" : "text"));
        }
        return texts;
    }

    @Test
    void keepsLatinTextsPlainAndOthersAsUtf8() throws IOException {
        Image image = Image.of(1, 1, new byte[3]);
        String latin = "a café\nSteps: 50";
        String other = "星 \uD83D\uDE00\nSteps: 50";
        byte[] png = image.encode(ImageFormat.PNG, Map.of("parameters", latin));
        assertEquals(Map.of("parameters", latin), texts(png, "tEXt"));
        png = image.encode(ImageFormat.PNG, Map.of("parameters", other));
        assertEquals(Map.of("parameters", other), texts(png, "iTXt"));
        assertEquals(Map.of(), texts(png, "tEXt"));
    }

    @Test
    void losesNothingBehindANulAndRefusesBadKeywords() throws IOException {
        Image image = Image.of(1, 1, new byte[3]);
        assertEquals(Map.of("a", "x\uFFFDy"), texts(image.encode(ImageFormat.PNG, Map.of("a", "x\0y")), "iTXt"));
        for (String keyword : new String[] {"", "x".repeat(80), "星", "a\0b", "a\nb"}) {
            assertThrows(IllegalArgumentException.class, () -> image.encode(ImageFormat.PNG, Map.of(keyword, "x")));
        }
    }

    @Test
    void writesAFileThatTheJdkReads(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("a.png");
        Image.of(2, 1, new byte[] {1, 2, 3, 4, 5, 6}).write(file);
        assertEquals(0xFF040506, ImageIO.read(file.toFile()).getRGB(1, 0));
    }

    @Test
    void saysWhyAFileCannotBeWritten(@TempDir Path folder) throws IOException {
        Image image = Image.of(1, 1, new byte[3]);
        Path missing = folder.resolve("none").resolve("a.png");
        assertTrue(assertThrows(UncheckedIOException.class, () -> image.write(missing)).getMessage()
            .contains("there is no folder"));
        assertTrue(assertThrows(UncheckedIOException.class, () -> image.write(
            Files.createDirectory(folder.resolve("folder.png")))).getMessage().contains("it is a folder"));
        Path file = Files.write(folder.resolve("a.png"), new byte[] {7});
        assertThrows(IllegalArgumentException.class, () -> image.write(file, Map.of("", "x")));
        assertArrayEquals(new byte[] {7}, Files.readAllBytes(file));
    }
}
