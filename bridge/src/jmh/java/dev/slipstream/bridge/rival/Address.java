package dev.slipstream.bridge.rival;

import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.Pointer;

/** Where a segment begins, as what JNI's side takes. */
public final class Address extends Pointer {
    private Address(long address) {
        this.address = address;
    }

    public static Pointer of(MemorySegment segment) {
        return new Address(segment.address());
    }
}
