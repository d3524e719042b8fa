package dev.slipstream.pipelines.diffusion.image.codec;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Files that the JDK's desktop module reads and writes: JPEG, and WebP where a plugin for it is on the class path.
 * Colour profiles are not followed.
 */
public final class DesktopFile {
    /** Of 0 to 1: so high that what is lost cannot be seen. */
    private static final float QUALITY = 0.95f;

    private DesktopFile() {
    }

    /** The format by ImageIO's name, if a file with these first bytes (at least 12) means to be of one. */
    public static Optional<String> format(byte[] begin) {
        if (begin.length > 2 && begin[0] == (byte) 0xFF && begin[1] == (byte) 0xD8 && begin[2] == (byte) 0xFF) {
            return Optional.of("JPEG");
        }
        String text = new String(begin, StandardCharsets.ISO_8859_1);
        return text.startsWith("RIFF") && text.startsWith("WEBP", 8) ? Optional.of("WebP") : Optional.empty();
    }

    /** The bytes of a JPEG file. */
    public static byte[] encode(Raster image) {
        BufferedImage pixels = BufferedImages.of(image);
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            ImageWriteParam settings = writer.getDefaultWriteParam();
            settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            settings.setCompressionQuality(QUALITY);
            writer.write(null, new IIOImage(pixels, null, null), settings);
        } catch (IOException e) {
            throw new UncheckedIOException("a stream into memory failed", e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    /**
     * @param name what errors call it
     * @param format of {@link #format}
     * @throws IllegalArgumentException if it is damaged, too large, or of a kind that the JDK does not read
     */
    public static Raster decode(byte[] bytes, String name, String format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format.toLowerCase(Locale.ROOT));
        if (!readers.hasNext()) {
            throw new IllegalArgumentException(name + " is a " + format + " file, for which ImageIO has no plugin; put "
                + "one on the class path, such as com.twelvemonkeys.imageio:imageio-webp, or convert it to PNG");
        }
        ImageReader reader = readers.next();
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            reader.setInput(in, true, true);
            long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
            if (pixels > Raster.MOST_PIXELS) {
                throw new IllegalArgumentException(name + " has " + reader.getWidth(0) + "x" + reader.getHeight(0)
                    + " pixels; at most " + Raster.MOST_PIXELS / 1_000_000 + " million are read");
            }
            return BufferedImages.raster(reader.read(0));
        } catch (IOException | RuntimeException damaged) {
            if (damaged instanceof IllegalArgumentException refused && damaged.getMessage() != null
                && damaged.getMessage().startsWith(name)) {
                throw refused;
            }
            throw new IllegalArgumentException(name + " is a " + format + " file that cannot be read: "
                + damaged.getMessage() + "; convert it to PNG", damaged);
        } finally {
            reader.dispose();
        }
    }
}
