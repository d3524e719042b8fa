package dev.slipstream.bridge;

/**
 * Bytes on one device, made by {@link Device#allocate}. The contents are undefined until something writes them.
 *
 * <p>The owner closes it, after all work that touches it is done. Any thread may close it, once others have stopped
 * using it; closing twice is harmless. Work given to a stream after the close is refused.
 */
public interface Buffer extends AutoCloseable {
    Device device();

    long bytes();

    /** The part of this buffer from {@code offset} on, {@code bytes} long. @throws IndexOutOfBoundsException */
    default Slice slice(long offset, long bytes) {
        return new Slice(this, offset, bytes);
    }

    default Slice all() {
        return new Slice(this, 0, bytes());
    }

    @Override
    void close();
}
