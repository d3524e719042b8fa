package dev.slipstream.pipelines.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures of a camera that was held on its side stand upright. */
class OrientationTest {
    private static final int PNG_HEADER_END = 33;
    private static final String EXIF = "Exif\0\0";

    /** The file's rows are abc and def. */
    private static Image letters() {
        byte[] rgb = new byte[18];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) ('a' + i / 3);
        }
        return Image.of(3, 2, rgb);
    }

    private static String rows(Image picture) {
        return IntStream.range(0, picture.height()).mapToObj(row -> IntStream.range(0, picture.width())
            .mapToObj(column -> String.valueOf((char) (picture.rgbAt(column, row) & 0xFF)))
            .collect(Collectors.joining())).collect(Collectors.joining("/"));
    }

    private static byte[] tiff(int orientation, ByteOrder order) {
        boolean little = order == ByteOrder.LITTLE_ENDIAN;
        return ByteBuffer.allocate(38).order(order).put((little ? "II" : "MM").getBytes(StandardCharsets.US_ASCII))
            .putShort((short) 42).putInt(8).putShort((short) 2)
            // The width of a thumbnail, then the orientation.
            .putShort((short) 0x0100).putShort((short) 3).putInt(1).putShort((short) 7).putShort((short) 0)
            .putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation).array();
    }

    private static byte[] pngWith(Image picture, byte[] exif) {
        byte[] png = picture.encode(ImageFormat.PNG);
        byte[] named = concat("eXIf".getBytes(StandardCharsets.US_ASCII), exif);
        CRC32 checksum = new CRC32();
        checksum.update(named);
        return concat(Arrays.copyOf(png, PNG_HEADER_END), ByteBuffer.allocate(4).putInt(exif.length).array(), named,
            ByteBuffer.allocate(4).putInt((int) checksum.getValue()).array(),
            Arrays.copyOfRange(png, PNG_HEADER_END, png.length));
    }

    private static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(part -> part.length).sum());
        Arrays.stream(parts).forEach(all::put);
        return all.array();
    }

    @ParameterizedTest
    @CsvSource({"1,abc/def", "2,cba/fed", "3,fed/cba", "4,def/abc", "5,ad/be/cf", "6,da/eb/fc", "7,fc/eb/da",
        "8,cf/be/ad", "0,abc/def", "9,abc/def", "-1,abc/def"})
    void allEightAreAsTheStandardDrawsThem(int orientation, String seen) {
        for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
            assertEquals(seen, rows(Image.decode(pngWith(letters(), tiff(orientation, order)))));
        }
    }

    @Test
    void aPhotographHasItAfterItsOtherSegments() {
        byte[] grey = new byte[32 * 16 * 3];
        Arrays.fill(grey, 0, 32 * 8 * 3, (byte) 200);
        byte[] jpeg = Image.of(32, 16, grey).encode(ImageFormat.JPEG);
        byte[] exif = concat(EXIF.getBytes(StandardCharsets.US_ASCII), tiff(6, ByteOrder.LITTLE_ENDIAN));
        // After the segment that ImageIO writes first.
        int at = 2 + 2 + (jpeg[4] & 0xFF) * 256 + (jpeg[5] & 0xFF);
        Image upright = Image.decode(concat(Arrays.copyOf(jpeg, at), new byte[] {(byte) 0xFF, (byte) 0xE1, 0,
            (byte) (exif.length + 2)}, exif, Arrays.copyOfRange(jpeg, at, jpeg.length)));
        assertEquals("16x32", upright.toString());
        // What was above is on the right.
        assertTrue((upright.rgbAt(12, 16) & 0xFF) > 150 && (upright.rgbAt(3, 16) & 0xFF) < 50);
    }

    @Test
    void damagedNotesOfACameraAreNoReasonToRefuseItsPicture() {
        Random random = new Random(3);
        for (int attempt = 0; attempt < 2000; attempt++) {
            byte[] exif = Arrays.copyOf(tiff(6, ByteOrder.BIG_ENDIAN), random.nextInt(60));
            for (int i = random.nextInt(3); i > 0 && exif.length > 0; i--) {
                exif[random.nextInt(exif.length)] = (byte) random.nextInt();
            }
            assertEquals(6, Image.decode(pngWith(letters(), exif)).rgb().length / 3);
        }
    }
}
