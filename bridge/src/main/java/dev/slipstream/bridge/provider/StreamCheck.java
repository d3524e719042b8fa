package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;

/** Says what is wrong with work for a stream, before it is queued. */
public final class StreamCheck {
    private StreamCheck() {
    }

    /** @throws IllegalArgumentException if a copy would not fit */
    public static void requireSameSize(long fromBytes, long toBytes) {
        if (fromBytes != toBytes) {
            throw new IllegalArgumentException("cannot copy " + fromBytes + " bytes to " + toBytes + " bytes");
        }
    }

    /**
     * Checks host memory that others will read.
     *
     * @param reader a thread that is not the caller's
     * @throws IllegalArgumentException if the memory is confined to a thread
     * @throws IllegalStateException if it is closed
     */
    public static void requireShared(MemorySegment host, Thread reader) {
        if (!host.isAccessibleBy(reader)) {
            throw new IllegalArgumentException("the host memory belongs to one thread (a confined arena), "
                + "and the stream's own cannot reach it; use a shared or automatic arena");
        }
        if (!host.scope().isAlive()) {
            throw new IllegalStateException("the host memory is closed");
        }
    }

    /** Checks host memory that others will write, like {@link #requireShared}, and that it can be written. */
    public static void requireWritable(MemorySegment host, Thread writer) {
        requireShared(host, writer);
        if (host.isReadOnly()) {
            throw new IllegalArgumentException("the host memory to download to is read-only");
        }
    }

    /** @throws IllegalArgumentException if the tensor has no NaN, or the mark is no number beside it */
    public static void requireGuardable(Tensor tensor, Slice mark) {
        switch (tensor.type().type()) {
            case FLOAT32, FLOAT16, BFLOAT16 -> { /* these have NaN and infinite values */ }
            default -> throw new IllegalArgumentException("a tensor " + tensor.type() + " has no NaN to guard against");
        }
        if (mark.bytes() != Integer.BYTES || mark.offset() % Integer.BYTES != 0) {
            throw new IllegalArgumentException("a mark is one int32, not " + mark.bytes() + " bytes from byte "
                + mark.offset() + " on");
        }
        if (mark.overlaps(tensor.slice())) {
            throw new IllegalArgumentException("the mark lies inside of the tensor that it guards");
        }
    }
}
