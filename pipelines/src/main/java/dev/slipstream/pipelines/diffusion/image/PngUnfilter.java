package dev.slipstream.pipelines.diffusion.image;

import java.util.zip.DataFormatException;

/** Undoes PNG's filters (W3C PNG, section 9.2). */
final class PngUnfilter {
    private PngUnfilter() {
    }

    /**
     * @param lines each with the number of its filter before it; changed in place
     * @throws DataFormatException if there is no such filter
     */
    static void undo(byte[] lines, PngLayout layout) throws DataFormatException {
        int length = layout.lineBytes() + 1;
        int pixel = layout.pixelBytes();
        for (int row = 0; row < layout.height(); row++) {
            int begin = row * length + 1;
            int filter = lines[begin - 1];
            if (filter < 0 || filter > 4) {
                throw new DataFormatException("there is no filter " + filter);
            }
            for (int i = 0; i < length - 1; i++) {
                int left = i < pixel ? 0 : lines[begin + i - pixel] & 0xFF;
                int above = row == 0 ? 0 : lines[begin + i - length] & 0xFF;
                int corner = i < pixel || row == 0 ? 0 : lines[begin + i - length - pixel] & 0xFF;
                lines[begin + i] += (byte) PngFilter.predicted(filter, left, above, corner);
            }
        }
    }
}
