package dev.slipstream.pipelines.diffusion.image;

import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.pipelines.diffusion.image.codec.DesktopFile;
import dev.slipstream.pipelines.diffusion.image.codec.Orientation;
import dev.slipstream.pipelines.diffusion.image.codec.PngFile;
import dev.slipstream.pipelines.diffusion.image.codec.PngReader;
import dev.slipstream.pipelines.diffusion.image.codec.Raster;
import dev.slipstream.pipelines.model.RequestException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The formats of picture files that are written. They are read, too, and so is WebP where ImageIO has a plugin for it.
 */
public enum ImageFormat {
    /** Without loss, with texts about the picture. Transparency and colour profiles of others are left out. */
    PNG("png") {
        @Override
        byte[] encode(Raster image, Map<String, String> texts) {
            return PngFile.encode(image, texts);
        }
    },
    /** Smaller, with a loss that is not seen, and without texts. It takes the JDK's module {@code java.desktop}. */
    JPEG("jpg", "jpeg") {
        @Override
        byte[] encode(Raster image, Map<String, String> texts) {
            try {
                return DesktopFile.encode(image);
            } catch (NoClassDefFoundError absent) {
                throw withoutDesktop(absent);
            }
        }
    };

    private final String[] endings;

    ImageFormat(String... endings) {
        this.endings = endings;
    }

    abstract byte[] encode(Raster image, Map<String, String> texts);

    /** The format of a file with this name. @throws IllegalArgumentException if its ending is not known */
    public static ImageFormat ofName(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return Stream.of(values()).filter(it -> Stream.of(it.endings).anyMatch(end -> lower.endsWith("." + end)))
            .findFirst().orElseThrow(() -> new IllegalArgumentException("a picture is written as .png, .jpg or .jpeg, "
                + "not as " + name));
    }

    /** @param name what errors call it. @throws RequestException if it is damaged or of another format */
    static Raster decode(byte[] file, String name) {
        try {
            return Orientation.upright(DesktopFile.format(file).map(format -> DesktopFile.decode(file, name, format))
                .orElseGet(() -> PngReader.decode(file, name)), file);
        } catch (IllegalArgumentException refused) {
            throw new RequestException(Failures.reason(refused), refused);
        } catch (NoClassDefFoundError absent) {
            throw withoutDesktop(absent);
        }
    }

    /** Whether a file with these first bytes may be one that is read. */
    static boolean isKnown(byte[] begin) {
        return DesktopFile.format(begin).isPresent() || PngReader.isPng(ByteBuffer.wrap(begin));
    }

    private static RequestException withoutDesktop(NoClassDefFoundError absent) {
        return new RequestException("JPEG and WebP files take the JDK's module java.desktop, which is not here; start "
            + "Java with --add-modules java.desktop, or take PNG", absent);
    }
}
