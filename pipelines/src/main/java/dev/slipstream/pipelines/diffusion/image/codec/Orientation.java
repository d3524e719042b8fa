package dev.slipstream.pipelines.diffusion.image.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Which way a camera was held (Exif 2.32, tag {@code Orientation}), in JPEG, PNG and WebP files: telephones write most
 * pictures lying on their side. What cannot be read of it is left out, as a picture is good without.
 *
 * @param swapped whether the file's rows are the picture's columns
 * @param fromRight whether the file's rows begin on the right
 * @param fromBottom whether the file's lowest row comes first
 */
public record Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
    private static final int TAG = 0x0112;
    private static final int TYPE_SHORT = 3;
    private static final int ENTRY = 12;
    private static final int UPRIGHT = 1;
    private static final int LAST = 8;
    private static final String EXIF = "Exif\0\0";

    /** The picture of a file as it was seen. @param read the file's pixels as they lie in it */
    public static Raster upright(Raster read, byte[] file) {
        int number = number(file);
        return number == UPRIGHT ? read : of(number).turned(read);
    }

    private static Orientation of(int number) {
        return new Orientation(number >= 5, number == 2 || number == 3 || number >= 7,
            number == 3 || number == 4 || number == 6 || number == 7);
    }

    private Raster turned(Raster read) {
        int width = swapped ? read.height() : read.width();
        int height = swapped ? read.width() : read.height();
        byte[] rgb = new byte[read.rgb().length];
        int to = 0;
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int across = swapped ? row : column;
                int down = swapped ? column : row;
                int from = ((fromBottom ? read.height() - 1 - down : down) * read.width()
                    + (fromRight ? read.width() - 1 - across : across)) * Raster.CHANNELS;
                for (int colour = 0; colour < Raster.CHANNELS; colour++) {
                    rgb[to++] = read.rgb()[from + colour];
                }
            }
        }
        return new Raster(width, height, rgb);
    }

    /** From 1, which is upright, to 8. */
    private static int number(byte[] file) {
        try {
            return exif(ByteBuffer.wrap(file)).map(Orientation::entry).filter(it -> it >= UPRIGHT && it <= LAST)
                .orElse(UPRIGHT);
        } catch (IndexOutOfBoundsException | IllegalArgumentException cutShort) {
            return UPRIGHT;
        }
    }

    /** The value in the first directory of a TIFF file. */
    private static int entry(ByteBuffer tiff) {
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        int entries = Short.toUnsignedInt(tiff.getShort(directory));
        for (int index = 0; index < entries; index++) {
            int at = directory + 2 + index * ENTRY;
            if (Short.toUnsignedInt(tiff.getShort(at)) == TAG && tiff.getShort(at + 2) == TYPE_SHORT) {
                return tiff.getShort(at + 8);
            }
        }
        return UPRIGHT;
    }

    private static Optional<ByteBuffer> exif(ByteBuffer file) {
        if (PngReader.isPng(file.duplicate())) {
            return chunk(file, 8, "eXIf", true);
        }
        return file.get(0) == 'R' ? chunk(file.order(ByteOrder.LITTLE_ENDIAN), 12, "EXIF", false) : segment(file);
    }

    /** Of PNG (length, type, data, checksum) or RIFF (type, length, data, at even places). */
    private static Optional<ByteBuffer> chunk(ByteBuffer file, int first, String wanted, boolean isPng) {
        for (int at = first; at + 8 <= file.limit();) {
            int length = file.getInt(isPng ? at : at + 4);
            if (text(file, isPng ? at + 4 : at, 4).equals(wanted)) {
                return Optional.of(tiff(file.slice(at + 8, length)));
            }
            at = Math.addExact(at + 8, length < 0 ? file.limit() : isPng ? length + 4 : length + length % 2);
        }
        return Optional.empty();
    }

    /** Of JPEG: a marker, then a length that counts itself; pixels come last. */
    private static Optional<ByteBuffer> segment(ByteBuffer file) {
        int at = 2;
        while (at + 4 <= file.limit() && file.get(at) == (byte) 0xFF && file.get(at + 1) != (byte) 0xDA) {
            int length = Short.toUnsignedInt(file.getShort(at + 2));
            if (file.get(at + 1) == (byte) 0xE1 && text(file, at + 4, EXIF.length()).equals(EXIF)) {
                return Optional.of(tiff(file.slice(at + 4, length - 2)));
            }
            at += 2 + length;
        }
        return Optional.empty();
    }

    /** Without the mark that JPEG files need before it, and some programs write into others, too. */
    private static ByteBuffer tiff(ByteBuffer exif) {
        return text(exif, 0, EXIF.length()).equals(EXIF)
            ? exif.slice(EXIF.length(), exif.limit() - EXIF.length()) : exif;
    }

    private static String text(ByteBuffer file, int at, int length) {
        byte[] bytes = new byte[length];
        file.get(at, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
