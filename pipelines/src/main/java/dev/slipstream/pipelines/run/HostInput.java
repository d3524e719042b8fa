package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.TensorType;

/** What the host writes to a device before the loop starts. */
public sealed interface HostInput {
    Region to();

    /** Part of a tensor that the caller gives: {@code to().bytes()} bytes from {@code from} on. */
    record Given(String tensor, long from, Region to) implements HostInput {
    }

    /** The mark of a device's guards: an int32 that is greater than every label. */
    record Mark(Region to) implements HostInput {
    }

    /** A timestep, in every element of a tensor of this type. */
    record Timestep(double value, TensorType type, Region to) implements HostInput {
    }
}
