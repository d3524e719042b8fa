package dev.slipstream.pipelines.run.program;

/** Bytes of a program's buffer. */
public record Region(int buffer, long offset, long bytes) {
    /** Whether a byte belongs to both. */
    public boolean overlaps(Region other) {
        return buffer == other.buffer && offset < other.offset + other.bytes && other.offset < offset + bytes;
    }

    /** Whether all bytes of the other are bytes of this. */
    public boolean contains(Region other) {
        return buffer == other.buffer && offset <= other.offset && other.offset + other.bytes <= offset + bytes;
    }

    @Override
    public String toString() {
        return "b" + buffer + (offset == 0 ? "" : "+" + offset);
    }
}
