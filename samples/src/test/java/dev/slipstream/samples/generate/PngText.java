package dev.slipstream.samples.generate;

import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.w3c.dom.Node;

/** Reads the text of a PNG file with the JDK's reader. */
public final class PngText {
    private PngText() {
    }

    /** The text that other tools call the parameters of the picture. */
    static String parameters(Path file) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ImageInputStream stream = ImageIO.createImageInputStream(file.toFile())) {
            reader.setInput(stream);
            IIOMetadata metadata = reader.getImageMetadata(0);
            IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree("javax_imageio_png_1.0");
            Node entry = root.getElementsByTagName("tEXtEntry").item(0);
            if (!entry.getAttributes().getNamedItem("keyword").getNodeValue().equals("parameters")) {
                throw new IOException("the first text of " + file + " is something else");
            }
            return entry.getAttributes().getNamedItem("value").getNodeValue();
        } finally {
            reader.dispose();
        }
    }
}
