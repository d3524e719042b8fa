package dev.slipstream.pipelines.diffusion.image.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * Makes pictures PNG files (W3C, Portable Network Graphics, third edition), with texts about them. The JDK's own writer
 * would first start the desktop module, which takes longer than a small model takes for a picture.
 */
public final class PngFile {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    private static final byte BITS = 8;
    private static final byte TRUECOLOUR = 2;
    private static final int LONGEST_KEYWORD = 79;

    private PngFile() {
    }

    /** The bytes of a PNG file. @param texts by keyword: 1 to 79 Latin-1 characters */
    public static byte[] encode(Raster image, Map<String, String> texts) {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        png.writeBytes(SIGNATURE);
        chunk(png, "IHDR", header(image));
        texts.forEach((keyword, text) -> text(png, keyword, text));
        chunk(png, "IDAT", deflated(PngFilter.filtered(image)));
        chunk(png, "IEND", new byte[0]);
        return png.toByteArray();
    }

    /**
     * The bytes of an animated PNG file, of which readers without animations show the first picture; it is repeated for
     * ever.
     *
     * @param frames all of one size
     * @param framesPerSecond at which they are shown
     * @param texts as in {@link #encode}
     */
    public static byte[] animated(List<Raster> frames, int framesPerSecond, Map<String, String> texts) {
        Raster first = frames.getFirst();
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        png.writeBytes(SIGNATURE);
        chunk(png, "IHDR", header(first));
        chunk(png, "acTL", ByteBuffer.allocate(8).putInt(frames.size()).putInt(0).array());
        texts.forEach((keyword, text) -> text(png, keyword, text));
        int sequence = 0;
        for (Raster frame : frames) {
            chunk(png, "fcTL", ByteBuffer.allocate(26).putInt(sequence++).putInt(first.width()).putInt(first.height())
                .putInt(0).putInt(0).putShort((short) 1).putShort((short) framesPerSecond).array());
            byte[] pixels = deflated(PngFilter.filtered(frame));
            if (sequence == 1) {
                chunk(png, "IDAT", pixels);
            } else {
                chunk(png, "fdAT", ByteBuffer.allocate(Integer.BYTES + pixels.length).putInt(sequence++).put(pixels)
                    .array());
            }
        }
        chunk(png, "IEND", new byte[0]);
        return png.toByteArray();
    }

    private static byte[] header(Raster image) {
        return ByteBuffer.allocate(13).putInt(image.width()).putInt(image.height()).put(BITS).put(TRUECOLOUR).array();
    }

    /** As tEXt where Latin-1 has all characters, which every reader knows; else as iTXt in UTF-8. */
    private static void text(ByteArrayOutputStream png, String keyword, String text) {
        if (keyword.isBlank() || keyword.length() > LONGEST_KEYWORD || !isPlainLatin1(keyword)) {
            throw new IllegalArgumentException("\"" + keyword + "\" cannot be a keyword in a PNG file");
        }
        ByteArrayOutputStream chunk = new ByteArrayOutputStream();
        chunk.writeBytes(keyword.getBytes(StandardCharsets.ISO_8859_1));
        chunk.write(0);
        // The format ends a text at a NUL, so one in a prompt would hide the rest.
        String whole = text.replace('\0', '\uFFFD');
        if (StandardCharsets.ISO_8859_1.newEncoder().canEncode(whole)) {
            chunk.writeBytes(whole.getBytes(StandardCharsets.ISO_8859_1));
            chunk(png, "tEXt", chunk.toByteArray());
        } else {
            // Not compressed, no language, no translated keyword.
            chunk.writeBytes(new byte[4]);
            chunk.writeBytes(whole.getBytes(StandardCharsets.UTF_8));
            chunk(png, "iTXt", chunk.toByteArray());
        }
    }

    private static boolean isPlainLatin1(String keyword) {
        return keyword.chars().allMatch(c -> c >= 32 && c <= 126 || c >= 161 && c <= 255);
    }

    private static byte[] deflated(byte[] bytes) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        Deflater deflater = new Deflater();
        try (DeflaterOutputStream out = new DeflaterOutputStream(result, deflater)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("a stream into memory failed", e);
        } finally {
            deflater.end();
        }
        return result.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 checksum = new CRC32();
        checksum.update(name);
        checksum.update(data);
        png.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(data.length).array());
        png.writeBytes(name);
        png.writeBytes(data);
        png.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt((int) checksum.getValue()).array());
    }
}
