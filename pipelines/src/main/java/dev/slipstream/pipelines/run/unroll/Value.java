package dev.slipstream.pipelines.run.unroll;

import java.util.Objects;

/**
 * A tensor on a device that is written once and never changes: a version. Identity is what counts; where its bytes lie
 * is decided later.
 */
final class Value {
    private final String role;
    private final int device;
    private final long bytes;
    private final boolean pinned;

    private Value(String role, int device, long bytes, boolean pinned) {
        this.role = role;
        this.device = device;
        this.bytes = bytes;
        this.pinned = pinned;
    }

    /** A value that the loop makes, and whose bytes may serve others once it is read for the last time. */
    static Value made(String role, int device, long bytes) {
        return new Value(role, device, bytes, false);
    }

    /** A value whose bytes stay its own for the whole program. */
    static Value pinned(int device, long bytes) {
        return new Value("", device, bytes, true);
    }

    /** What it has in common with values of other steps. */
    String role() {
        return role;
    }

    int device() {
        return device;
    }

    long bytes() {
        return bytes;
    }

    boolean isPinned() {
        return pinned;
    }

    Access all() {
        return new Access(this, 0, bytes);
    }

    Access part(long offset, long length) {
        return new Access(this, offset, length);
    }

    /** Some bytes of a value, read or written. */
    record Access(Value value, long offset, long bytes) {
        Access {
            Objects.checkFromIndexSize(offset, bytes, value.bytes());
        }
    }
}
