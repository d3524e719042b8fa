package dev.slipstream.pipelines.diffusion.image.codec;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads pictures from PNG files (W3C, Portable Network Graphics, third edition): every colour type and depth, without
 * interlacing. Transparency is left out, and so are colour profiles. A file is treated as hostile: what it can make us
 * allocate is bounded by {@link Raster#MOST_PIXELS}.
 */
public final class PngReader {
    private static final long SIGNATURE = 0x89504E470D0A1A0AL;
    /** Deflate cannot make more bytes of one, so a small file cannot ask for much memory. */
    private static final long MOST_DEFLATED = 1032;
    private static final int HEADER = 13;
    private static final int COLOURS = 3;

    private final String name;
    private PngLayout layout;
    private byte[] palette = new byte[0];
    private byte[] lines;
    private int filled;

    private PngReader(String name) {
        this.name = name;
    }

    /**
     * @param name what errors call it
     * @throws IllegalArgumentException if it is no PNG file of a supported kind; the message says why
     */
    public static Raster decode(byte[] bytes, String name) {
        return new PngReader(name).decode(ByteBuffer.wrap(bytes));
    }

    private Raster decode(ByteBuffer file) {
        if (!isPng(file)) {
            throw noPng();
        }
        Inflater inflater = new Inflater();
        try {
            String type;
            do {
                type = chunk(file, inflater);
            } while (!type.equals("IEND"));
            if (layout == null || filled < lines.length) {
                throw wrong("is cut short; copy it again");
            }
            PngFilter.undo(lines, layout);
        } catch (DataFormatException e) {
            throw wrong("is damaged: " + e.getMessage());
        } finally {
            inflater.end();
        }
        return new Raster(layout.width(), layout.height(), colours());
    }

    /** Whether a file with these first bytes means to be one. */
    public static boolean isPng(ByteBuffer begin) {
        return begin.remaining() >= Long.BYTES && begin.getLong() == SIGNATURE;
    }

    private String chunk(ByteBuffer file, Inflater inflater) throws DataFormatException {
        int length = file.remaining() < 12 ? -1 : file.getInt();
        if (length < 0 || length > file.remaining() - 8) {
            throw wrong("is cut short; copy it again");
        }
        byte[] checked = new byte[4 + length];
        file.get(checked);
        CRC32 checksum = new CRC32();
        checksum.update(checked);
        if (file.getInt() != (int) checksum.getValue()) {
            throw wrong("is damaged: a checksum is wrong");
        }
        String type = new String(checked, 0, 4, StandardCharsets.ISO_8859_1);
        byte[] data = Arrays.copyOfRange(checked, 4, checked.length);
        switch (type) {
            case "IHDR" -> header(data, file.remaining());
            case "PLTE" -> palette = data;
            case "IDAT" -> inflate(data, inflater);
            default -> {
                if (Character.isUpperCase(type.charAt(0)) && !type.equals("IEND")) {
                    throw wrong("has a part " + type.replaceAll("\\W", "?") + " that is not known; save it again");
                }
            }
        }
        return type;
    }

    private void header(byte[] data, int left) {
        if (layout != null || data.length != HEADER) {
            throw wrong("is damaged: its header is");
        }
        ByteBuffer header = ByteBuffer.wrap(data);
        int width = header.getInt();
        int height = header.getInt();
        if (width < 1 || height < 1 || (long) width * height > Raster.MOST_PIXELS) {
            throw wrong("has " + Integer.toUnsignedString(width) + "x" + Integer.toUnsignedString(height)
                + " pixels; at most " + Raster.MOST_PIXELS / 1_000_000 + " million are read");
        }
        layout = PngLayout.of(width, height, header.get(), header.get())
            .orElseThrow(() -> wrong("is damaged: there is no such colour type and depth"));
        if (header.get() != 0 || header.get() != 0) {
            throw wrong("is damaged: there is no such compression");
        }
        if (header.get() != 0) {
            throw wrong("is interlaced, which is not read; save it without interlacing");
        }
        long bytes = (long) height * (layout.lineBytes() + 1);
        if (bytes > MOST_DEFLATED * left) {
            throw wrong("is cut short; copy it again");
        }
        lines = new byte[Math.toIntExact(bytes)];
    }

    private void inflate(byte[] data, Inflater inflater) throws DataFormatException {
        if (layout == null) {
            throw wrong("is damaged: its header is not first");
        }
        inflater.setInput(data);
        int count = 1;
        while (count > 0 && filled < lines.length) {
            count = inflater.inflate(lines, filled, lines.length - filled);
            filled += count;
        }
    }

    private byte[] colours() {
        byte[] rgb = new byte[layout.width() * layout.height() * COLOURS];
        int to = 0;
        for (int row = 0; row < layout.height(); row++) {
            int line = row * (layout.lineBytes() + 1) + 1;
            for (int column = 0; column < layout.width(); column++) {
                for (int colour = 0; colour < COLOURS; colour++) {
                    rgb[to++] = layout.isIndexed() ? indexed(layout.sample(lines, line, column, 0), colour)
                        : layout.level(layout.sample(lines, line, column, layout.isGrey() ? 0 : colour));
                }
            }
        }
        return rgb;
    }

    private byte indexed(int index, int colour) {
        int at = index * COLOURS + colour;
        if (at >= palette.length) {
            throw wrong("is damaged: it uses a colour that is not in its palette");
        }
        return palette[at];
    }

    private IllegalArgumentException noPng() {
        return wrong("is no PNG file; convert it to PNG");
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException(name + " " + what);
    }
}
