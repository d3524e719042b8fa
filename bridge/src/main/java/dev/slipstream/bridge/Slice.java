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
}
