package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.codec.GifFile;
import dev.slipstream.pipelines.diffusion.image.codec.PngFile;
import dev.slipstream.pipelines.diffusion.image.codec.Raster;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.junit.jupiter.api.Test;

/** Animated files are read back by the JDK's ImageIO, which knows nothing of our writers. */
class AnimatedFilesTest {
    private static final int WIDTH = 9;
    private static final int HEIGHT = 5;
    private static final List<Raster> FRAMES = IntStream.range(0, 3).mapToObj(AnimatedFilesTest::frame).toList();

    /** Stripes that move to the right. */
    private static Raster frame(int number) {
        byte[] rgb = new byte[WIDTH * HEIGHT * 3];
        for (int i = 0; i < rgb.length; i++) {
            int x = i / 3 % WIDTH;
            rgb[i] = (byte) ((x + number) % 3 == i % 3 ? 240 : 16 * number);
        }
        return new Raster(WIDTH, HEIGHT, rgb);
    }

    private static byte[] rgb(BufferedImage picture) {
        return Image.of(picture).rgb();
    }

    private record Chunk(String type, ByteBuffer data) {
    }

    private static List<Chunk> chunks(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file);
        bytes.position(8);
        List<Chunk> chunks = new ArrayList<>();
        while (bytes.hasRemaining()) {
            int length = bytes.getInt();
            CRC32 sum = new CRC32();
            sum.update(file, bytes.position(), length + 4);
            byte[] type = new byte[4];
            bytes.get(type);
            chunks.add(new Chunk(new String(type, StandardCharsets.US_ASCII), bytes.slice(bytes.position(), length)));
            bytes.position(bytes.position() + length);
            assertEquals((int) sum.getValue(), bytes.getInt());
        }
        return chunks;
    }

    /** A file of one picture with the data of one frame. */
    private static byte[] alone(byte[] file, ByteBuffer data) {
        ByteBuffer chunk = ByteBuffer.allocate(data.remaining() + 12).putInt(data.remaining())
            .put("IDAT".getBytes(StandardCharsets.US_ASCII)).put(data.duplicate());
        CRC32 sum = new CRC32();
        sum.update(chunk.array(), 4, data.remaining() + 4);
        chunk.putInt((int) sum.getValue());
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(Arrays.copyOf(file, 8 + 25));
        whole.writeBytes(chunk.array());
        whole.writeBytes(Arrays.copyOfRange(file, file.length - 12, file.length));
        return whole.toByteArray();
    }

    @Test
    void readersWithoutAnimationsShowTheFirstFrameOfAnAnimatedPng() throws IOException {
        byte[] file = PngFile.animated(FRAMES, 7, Map.of("parameters", "Steps: 3"));

        assertArrayEquals(FRAMES.getFirst().rgb(), rgb(ImageIO.read(new ByteArrayInputStream(file))));
    }

    @Test
    void anAnimatedPngHasEveryFrameInItsTurn() throws IOException {
        byte[] file = PngFile.animated(FRAMES, 7, Map.of("parameters", "Steps: 3"));
        List<Chunk> chunks = chunks(file);

        assertEquals(List.of("IHDR", "acTL", "tEXt", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"),
            chunks.stream().map(Chunk::type).toList());
        assertEquals(3, chunks.get(1).data.getInt(0));
        assertEquals(0, chunks.get(1).data.getInt(4), "for ever");
        int sequence = 0;
        for (Chunk chunk : chunks) {
            if (chunk.type.equals("fcTL")) {
                assertEquals(sequence++, chunk.data.getInt(0));
                assertEquals(WIDTH, chunk.data.getInt(4));
                assertEquals(HEIGHT, chunk.data.getInt(8));
                assertEquals(1, chunk.data.getShort(20));
                assertEquals(7, chunk.data.getShort(22));
            } else if (chunk.type.equals("fdAT")) {
                assertEquals(sequence++, chunk.data.getInt(0));
            }
        }
        for (int frame = 1; frame < 3; frame++) {
            ByteBuffer data = chunks.get(4 + 2 * frame).data;
            assertArrayEquals(FRAMES.get(frame).rgb(), rgb(ImageIO.read(new ByteArrayInputStream(
                alone(file, data.slice(4, data.capacity() - 4))))));
        }
    }

    @Test
    void anAnimatedGifHasEveryFrameForItsTime() throws IOException {
        byte[] file = GifFile.encode(FRAMES, 7);

        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            reader.setInput(in);
            assertEquals(3, reader.getNumImages(true));
            List<String> delays = new ArrayList<>();
            for (int frame = 0; frame < 3; frame++) {
                assertArrayEquals(FRAMES.get(frame).rgb(), rgb(reader.read(frame)), "frame " + frame);
                IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(frame).getAsTree(
                    "javax_imageio_gif_image_1.0");
                delays.add(((IIOMetadataNode) root.getElementsByTagName("GraphicControlExtension").item(0))
                    .getAttribute("delayTime"));
                assertEquals("NETSCAPE", ((IIOMetadataNode) root.getElementsByTagName("ApplicationExtension").item(0))
                    .getAttribute("applicationID"));
            }
            assertEquals(List.of("14", "15", "14"), delays, "3/7 of a second together");
        } finally {
            reader.dispose();
        }
        assertTrue(file.length > 0);
    }
}
