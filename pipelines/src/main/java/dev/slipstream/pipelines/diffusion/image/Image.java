package dev.slipstream.pipelines.diffusion.image;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.pipelines.diffusion.image.codec.BufferedImages;
import dev.slipstream.pipelines.diffusion.image.codec.Raster;
import dev.slipstream.pipelines.model.RequestException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A picture: 8 bits each of red, green and blue, row by row from the top. Immutable; any thread may use it. */
public final class Image {
    /** Pictures with more are neither read nor drawn nor written; a little more than 8K. */
    public static final int MOST_PIXELS = Raster.MOST_PIXELS;

    /** A file of the largest picture with the most bytes a pixel, not compressed, and some metadata. */
    private static final int MOST_BYTES = MOST_PIXELS * 8 + (64 << 20);
    /** By which formats are told apart. */
    private static final int MAGIC_BYTES = 12;
    private static final int CHANNELS = Raster.CHANNELS;
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

    /**
     * The picture of these pixels.
     *
     * @param rgb {@code [height, width, 3]}, copied
     * @throws IllegalArgumentException if these are not as many bytes
     */
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
     * @param values {@code [3, height, width]}, -1 for black to 1 for full; values beyond are clamped
     * @throws ArithmeticException if a value is NaN or infinite; the message says where
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

    /**
     * Reads a PNG, JPEG or (with a plugin of ImageIO) WebP file. Files are treated as hostile: what one can make us
     * allocate is bounded by {@link #MOST_PIXELS}.
     *
     * @throws RequestException if it cannot be read, or is no picture of a supported kind; the message names the file
     */
    public static Image read(Path file) {
        try {
            if (!ImageFormat.isKnown(InputFile.head(file, MAGIC_BYTES))) {
                throw new RequestException(file + " is neither a PNG nor a JPEG nor a WebP file; convert it to PNG");
            }
            return of(ImageFormat.decode(InputFile.bytes(file, MOST_BYTES), file.toString()));
        } catch (IOException failure) {
            throw new RequestException(Failures.reason(failure), failure);
        }
    }

    /**
     * Reads a PNG or JPEG file from a stream, to its end; the caller closes it. In all else like {@link #read(Path)}.
     *
     * @throws IOException if the stream fails
     */
    public static Image read(InputStream file) throws IOException {
        byte[] bytes = file.readNBytes(MOST_BYTES);
        if (bytes.length == MOST_BYTES) {
            throw new RequestException("the picture is too large: at most " + MOST_BYTES + " bytes are read");
        }
        return decode(bytes);
    }

    /** The picture of a PNG or JPEG file's bytes; in all else like {@link #read(Path)}. */
    public static Image decode(byte[] file) {
        return of(ImageFormat.decode(file, "the picture"));
    }

    private static Image of(Raster read) {
        return new Image(read.width(), read.height(), read.rgb());
    }

    /**
     * A copy of a picture of the JDK's module {@code java.desktop}, in sRGB; transparency is left out.
     *
     * @throws IllegalArgumentException if it has more than {@link #MOST_PIXELS}
     */
    public static Image of(BufferedImage image) {
        if ((long) image.getWidth() * image.getHeight() > MOST_PIXELS) {
            throw new IllegalArgumentException("a picture has at most " + MOST_PIXELS / 1_000_000
                + " million pixels, not " + image.getWidth() + "x" + image.getHeight());
        }
        return of(BufferedImages.raster(image));
    }

    /** A copy for the JDK's module {@code java.desktop}. */
    public BufferedImage toBufferedImage() {
        return BufferedImages.of(new Raster(width, height, pixels));
    }

    /**
     * The bytes of a file in this format.
     *
     * @throws RequestException for JPEG where the JDK's module {@code java.desktop} is absent
     */
    public byte[] encode(ImageFormat format) {
        return encode(format, Map.of());
    }

    /** @param texts about the picture by keyword, 1 to 79 Latin-1 characters; formats without texts leave them out */
    public byte[] encode(ImageFormat format, Map<String, String> texts) {
        return format.encode(new Raster(width, height, pixels), texts);
    }

    /** Writes a file in this format into a stream, which stays open. @throws IOException if the stream fails */
    public void write(OutputStream out, ImageFormat format) throws IOException {
        out.write(encode(format));
    }

    /**
     * Writes a file in the format that its name ends with, whole or not at all; what was there is replaced.
     *
     * @throws IllegalArgumentException if the ending is not known
     * @throws UncheckedIOException which says why the file cannot be written
     */
    public void write(Path file) {
        write(file, Map.of());
    }

    /** @param texts as in {@link #encode(ImageFormat, Map)}; in all else like {@link #write(Path)} */
    public void write(Path file, Map<String, String> texts) {
        byte[] bytes = encode(ImageFormat.ofName(file.toString()), texts);
        try {
            AtomicFile.write(file, channel -> {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
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

    /** The colour of one pixel as {@code 0xRRGGBB}. @throws IndexOutOfBoundsException */
    public int rgbAt(int column, int row) {
        int at = (Objects.checkIndex(row, height) * width + Objects.checkIndex(column, width)) * CHANNELS;
        return (pixels[at] & 0xFF) << 16 | (pixels[at + 1] & 0xFF) << 8 | pixels[at + 2] & 0xFF;
    }

    /**
     * This picture with each pixel as a square of {@code factor} by {@code factor} pixels.
     *
     * @throws IllegalArgumentException if the factor is less than 1
     */
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

    /** This picture in another size, with interpolated pixels. */
    public Image scaledTo(int newWidth, int newHeight) {
        return of(newWidth, newHeight, ImageScaling.scaled(pixels, width, height, newWidth, newHeight));
    }

    /**
     * This picture in another size, scaled so that it covers all of it in its own proportions, and cut evenly at both
     * sides; this one if it has that size.
     */
    public Image covering(int newWidth, int newHeight) {
        if (newWidth == width && newHeight == height) {
            return this;
        }
        double ratio = Math.max((double) newWidth / width, (double) newHeight / height);
        int wide = Math.max(newWidth, (int) (width * ratio));
        int high = Math.max(newHeight, (int) (height * ratio));
        return scaledTo(wide, high).cut((wide - newWidth) / 2, (high - newHeight) / 2, newWidth, newHeight);
    }

    private Image cut(int left, int top, int newWidth, int newHeight) {
        byte[] part = new byte[bytes(newWidth, newHeight)];
        for (int row = 0; row < newHeight; row++) {
            System.arraycopy(pixels, ((top + row) * width + left) * CHANNELS, part, row * newWidth * CHANNELS,
                newWidth * CHANNELS);
        }
        return new Image(newWidth, newHeight, part);
    }

    /**
     * One picture of many, with white gaps between them.
     *
     * @param rows pictures from left to right, row by row; all of one size; a short row is filled up with white
     * @throws IllegalArgumentException if there is none, or they have several sizes
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

    /**
     * Scales pictures with a triangle filter, which is wider the more the picture shrinks, first across and then down:
     * what image software usually calls "bilinear".
     */
    private static final class ImageScaling {
        private static final int CHANNELS = 3;

        private ImageScaling() {
        }

        static byte[] scaled(byte[] pixels, int width, int height, int newWidth, int newHeight) {
            float[] across = new float[Math.multiplyExact(Math.multiplyExact(newWidth, height), CHANNELS)];
            for (int column = 0; column < newWidth; column++) {
                Window window = Window.of(column, newWidth, width);
                for (int row = 0; row < height; row++) {
                    for (int channel = 0; channel < CHANNELS; channel++) {
                        float sum = 0;
                        for (int i = 0; i < window.weights.length; i++) {
                            sum += window.weights[i]
                                * (pixels[(row * width + window.first + i) * CHANNELS + channel] & 0xFF);
                        }
                        across[(row * newWidth + column) * CHANNELS + channel] = sum;
                    }
                }
            }
            int line = newWidth * CHANNELS;
            byte[] result = new byte[Math.multiplyExact(line, newHeight)];
            for (int row = 0; row < newHeight; row++) {
                Window window = Window.of(row, newHeight, height);
                for (int at = 0; at < line; at++) {
                    float sum = 0;
                    for (int i = 0; i < window.weights.length; i++) {
                        sum += window.weights[i] * across[(window.first + i) * line + at];
                    }
                    result[row * line + at] = (byte) Math.clamp(Math.round(sum), 0, 255);
                }
            }
            return result;
        }

        /** The old pixels that a new one is computed from. */
        private record Window(int first, float[] weights) {
            static Window of(int index, int newLength, int length) {
                double scale = (double) length / newLength;
                double reach = Math.max(1, scale);
                double centre = (index + 0.5) * scale;
                int first = Math.max(0, (int) (centre - reach + 0.5));
                int end = Math.min(length, (int) (centre + reach + 0.5));
                float[] weights = new float[end - first];
                double sum = 0;
                for (int i = 0; i < weights.length; i++) {
                    double distance = Math.abs(first + i + 0.5 - centre) / reach;
                    weights[i] = (float) Math.max(0, 1 - distance);
                    sum += weights[i];
                }
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = (float) (weights[i] / sum);
                }
                return new Window(first, weights);
            }
        }
    }
}
