package dev.slipstream.pipelines.graph.cut;

import java.util.Collections;
import java.util.List;

/**
 * What a part of a network is cut for.
 *
 * @param speed how fast the device is beside the others, in any unit; more than 0
 * @param weightBytes of its memory that weights may take, as the graph has them
 */
public record PartDevice(double speed, long weightBytes) {
    /** One like all others, with memory for everything. */
    public static final PartDevice EQUAL = new PartDevice(1, Long.MAX_VALUE);

    public PartDevice {
        if (!(speed > 0) || Double.isInfinite(speed) || weightBytes < 0) {
            throw new IllegalArgumentException("a device is faster than 0 and has room for 0 bytes or more, not "
                + speed + " and " + weightBytes);
        }
    }

    /** So many equal devices. */
    public static List<PartDevice> equal(int count) {
        return Collections.nCopies(count, EQUAL);
    }
}
