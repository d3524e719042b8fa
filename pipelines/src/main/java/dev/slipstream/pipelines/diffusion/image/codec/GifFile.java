package dev.slipstream.pipelines.diffusion.image.codec;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Animated GIF files, with the 256 colours for each picture that the JDK's desktop module chooses. */
public final class GifFile {
    private static final int HUNDREDTHS = 100;
    /** Repeated for ever: the block of that name that all readers know. */
    private static final byte[] FOR_EVER = {1, 0, 0};

    private GifFile() {
    }

    /**
     * The bytes of a file that is repeated for ever.
     *
     * @param frames all of one size
     * @param framesPerSecond at which they are shown, in whole hundredths of a second each, which are spread evenly
     */
    public static byte[] encode(List<Raster> frames, int framesPerSecond) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("gif").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.prepareWriteSequence(null);
            for (int index = 0; index < frames.size(); index++) {
                BufferedImage picture = BufferedImages.of(frames.get(index));
                IIOMetadata about = writer.getDefaultImageMetadata(
                    ImageTypeSpecifier.createFromRenderedImage(picture), null);
                describe(about, until(index + 1, framesPerSecond) - until(index, framesPerSecond));
                writer.writeToSequence(new IIOImage(picture, null, about), null);
            }
            writer.endWriteSequence();
        } catch (IOException e) {
            throw new UncheckedIOException("a stream into memory failed", e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    private static int until(int frame, int framesPerSecond) {
        return Math.round((float) frame * HUNDREDTHS / framesPerSecond);
    }

    private static void describe(IIOMetadata about, int delay) throws IOException {
        String format = about.getNativeMetadataFormatName();
        IIOMetadataNode control = new IIOMetadataNode("GraphicControlExtension");
        control.setAttribute("disposalMethod", "none");
        control.setAttribute("userInputFlag", "FALSE");
        control.setAttribute("transparentColorFlag", "FALSE");
        control.setAttribute("delayTime", Integer.toString(delay));
        control.setAttribute("transparentColorIndex", "0");
        IIOMetadataNode repeated = new IIOMetadataNode("ApplicationExtension");
        repeated.setAttribute("applicationID", "NETSCAPE");
        repeated.setAttribute("authenticationCode", "2.0");
        repeated.setUserObject(FOR_EVER);
        IIOMetadataNode extensions = new IIOMetadataNode("ApplicationExtensions");
        extensions.appendChild(repeated);
        IIOMetadataNode root = new IIOMetadataNode(format);
        root.appendChild(control);
        root.appendChild(extensions);
        about.mergeTree(format, root);
    }
}
