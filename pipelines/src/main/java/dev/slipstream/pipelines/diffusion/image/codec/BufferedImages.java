package dev.slipstream.pipelines.diffusion.image.codec;

import java.awt.image.BufferedImage;

/** Pictures of the JDK's desktop module, to and from. */
public final class BufferedImages {
    private BufferedImages() {
    }

    /** A copy. */
    public static BufferedImage of(Raster image) {
        BufferedImage pixels = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_3BYTE_BGR);
        int[] line = new int[image.width()];
        for (int row = 0; row < image.height(); row++) {
            for (int column = 0; column < line.length; column++) {
                int at = (row * line.length + column) * Raster.CHANNELS;
                line[column] = (image.rgb()[at] & 0xFF) << 16 | (image.rgb()[at + 1] & 0xFF) << 8
                    | image.rgb()[at + 2] & 0xFF;
            }
            pixels.setRGB(0, row, line.length, 1, line, 0, line.length);
        }
        return pixels;
    }

    /** A copy in sRGB; transparency is left out. */
    public static Raster raster(BufferedImage image) {
        byte[] rgb = new byte[image.getWidth() * image.getHeight() * Raster.CHANNELS];
        int to = 0;
        for (int row = 0; row < image.getHeight(); row++) {
            for (int pixel : image.getRGB(0, row, image.getWidth(), 1, null, 0, image.getWidth())) {
                rgb[to++] = (byte) (pixel >> 16);
                rgb[to++] = (byte) (pixel >> 8);
                rgb[to++] = (byte) pixel;
            }
        }
        return new Raster(image.getWidth(), image.getHeight(), rgb);
    }
}
