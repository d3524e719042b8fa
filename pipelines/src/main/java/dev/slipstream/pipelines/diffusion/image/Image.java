package dev.slipstream.pipelines.diffusion.image;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A picture: 8 bits each of red, green and blue, row by row from the top. Immutable. */
public final class Image {
    /** Pictures with more are neither read nor drawn nor written: a few more than 8K has. */
    public static final int MOST_PIXELS = 1 << 25;

    private static final int CHANNELS = 3;
    private static final int GAP = 2;
    private static final byte WHITE = (byte) 255;

    private final int width;
    private final int height;
    private final byte[] pixels;

    private Image(int width, int height, byte[] pixels) {
        this.width = width;
        this.height = height;
        this.pixels = pixels;
    }

    /** @param rgb {@code height * width * 3} bytes, copied */
    public static Image of(int width, int height, byte[] rgb) {
        if (width < 1 || height < 1 || rgb.length != bytes(width, height)) {
            throw new IllegalArgumentException(
                "a picture of " + width + "x" + height + " pixels cannot have " + rgb.length + " bytes");
        }
        return new Image(width, height, rgb.clone());
    }

    private static int bytes(int width, int height) {
        return Math.multiplyExact(Math.multiplyExact(width, height), CHANNELS);
    }

    /**
     * The picture of a decoder's output.
     *
     * @param values {@code [3, height, width]}, -1 for black to 1 for full; what is beyond is clamped
     * @throws ArithmeticException if a value is NaN or infinite, which says where
     */
    public static Image ofTensor(float[] values, int width, int height) {
        if (width < 1 || height < 1 || values.length != bytes(width, height)) {
            throw new IllegalArgumentException("a picture of " + width + "x" + height + " pixels cannot be made of "
                + values.length + " values");
        }
        int plane = width * height;
        byte[] pixels = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            float value = values[i];
            if (!Float.isFinite(value)) {
                throw notFinite(values, i, width, plane);
            }
            float unit = Math.clamp(value / 2 + 0.5f, 0f, 1f);
            // To even, as numpy's round does in diffusers.
            pixels[i % plane * CHANNELS + i / plane] = (byte) Math.rint(unit * 255);
        }
        return new Image(width, height, pixels);
    }

    private static ArithmeticException notFinite(float[] values, int index, int width, int plane) {
        int count = 0;
        for (float value : values) {
            count += Float.isFinite(value) ? 0 : 1;
        }
        return new ArithmeticException("the picture has " + values[index] + " at channel " + index / plane + ", row "
            + index % plane / width + ", column " + index % width + " (" + count + " of " + values.length
            + " values are not finite); the model overflowed, try it with higher precision");
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** A copy of the bytes: {@code [height, width, 3]}. */
    public byte[] rgb() {
        return pixels.clone();
    }

    /** The colour of one pixel as {@code 0xRRGGBB}. */
    public int rgbAt(int column, int row) {
        int at = (Objects.checkIndex(row, height) * width + Objects.checkIndex(column, width)) * CHANNELS;
        return (pixels[at] & 0xFF) << 16 | (pixels[at + 1] & 0xFF) << 8 | pixels[at + 2] & 0xFF;
    }

    /** This picture with each pixel as a square of {@code factor} by {@code factor} pixels. */
    public Image enlarged(int factor) {
        if (factor < 1) {
            throw new IllegalArgumentException("a picture cannot be enlarged by " + factor);
        }
        int wide = Math.multiplyExact(width, factor);
        byte[] large = new byte[bytes(wide, Math.multiplyExact(height, factor))];
        for (int row = 0; row < height; row++) {
            int first = row * factor * wide * CHANNELS;
            for (int column = 0; column < wide; column++) {
                System.arraycopy(pixels, (row * width + column / factor) * CHANNELS, large, first + column * CHANNELS,
                    CHANNELS);
            }
            for (int copy = 1; copy < factor; copy++) {
                System.arraycopy(large, first, large, first + copy * wide * CHANNELS, wide * CHANNELS);
            }
        }
        return new Image(wide, height * factor, large);
    }

    /** This picture in another size, its pixels mixed. */
    public Image scaledTo(int newWidth, int newHeight) {
        return of(newWidth, newHeight, ImageScaling.scaled(pixels, width, height, newWidth, newHeight));
    }

    /**
     * One picture of many, with white gaps between them.
     *
     * @param rows pictures from left to right, row by row; all of one size; a short row is filled up with white
     */
    public static Image grid(List<List<Image>> rows) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        if (columns == 0) {
            throw new IllegalArgumentException("a grid needs a picture");
        }
        Image cell = rows.stream().flatMap(List::stream).findFirst().orElseThrow();
        int width = Math.addExact(Math.multiplyExact(columns, cell.width), GAP * (columns - 1));
        int height = Math.addExact(Math.multiplyExact(rows.size(), cell.height), GAP * (rows.size() - 1));
        byte[] pixels = new byte[bytes(width, height)];
        Arrays.fill(pixels, WHITE);
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < rows.get(row).size(); column++) {
                Image image = rows.get(row).get(column);
                if (image.width != cell.width || image.height != cell.height) {
                    throw new IllegalArgumentException("the pictures of a grid must have one size, not " + cell
                        + " and " + image);
                }
                image.copyInto(pixels, width, column * (cell.width + GAP), row * (cell.height + GAP));
            }
        }
        return new Image(width, height, pixels);
    }

    private void copyInto(byte[] target, int targetWidth, int left, int top) {
        for (int row = 0; row < height; row++) {
            System.arraycopy(pixels, row * width * CHANNELS, target, ((top + row) * targetWidth + left) * CHANNELS,
                width * CHANNELS);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Image image && width == image.width && Arrays.equals(pixels, image.pixels);
    }

    @Override
    public int hashCode() {
        return 31 * width + Arrays.hashCode(pixels);
    }

    @Override
    public String toString() {
        return width + "x" + height;
    }
}
