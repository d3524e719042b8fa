package dev.slipstream.bridge;

import java.util.Objects;

/** Part of a buffer: {@code bytes} bytes from {@code offset} on. It owns nothing. */
public record Slice(Buffer buffer, long offset, long bytes) {
    public Slice {
        Objects.checkFromIndexSize(offset, bytes, buffer.bytes());
    }

    /** A part of this part. @throws IndexOutOfBoundsException */
    public Slice slice(long from, long length) {
        Objects.checkFromIndexSize(from, length, bytes);
        return new Slice(buffer, offset + from, length);
    }

    /** Whether some byte belongs to both. */
    public boolean overlaps(Slice other) {
        return buffer == other.buffer && bytes > 0 && other.bytes > 0
            && offset < other.offset + other.bytes && other.offset < offset + bytes;
    }
}
