package dev.slipstream.bridge;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;

/** A buffer of a device whose calls may fail. */
final class FaultyBuffer implements Buffer {
    private final Buffer real;
    private final FaultyDevice device;

    FaultyBuffer(Buffer real, FaultyDevice device) {
        this.real = real;
        this.device = device;
    }

    static Slice unwrap(Slice slice) {
        return new Slice(((FaultyBuffer) slice.buffer()).real, slice.offset(), slice.bytes());
    }

    static Combination unwrap(Combination combination) {
        return new Combination(unwrap(combination.out()),
            combination.inputs().stream().map(FaultyBuffer::unwrap).toList(), combination.weights());
    }

    static Limiting unwrap(Limiting limiting) {
        return new Limiting(unwrap(limiting.out()), unwrap(limiting.in()), limiting.pictures(), limiting.limit());
    }

    static RelativeChange unwrap(RelativeChange change) {
        return new RelativeChange(unwrap(change.out()), unwrap(change.now()), unwrap(change.then()),
            unwrap(change.work()));
    }

    static GuidanceRescale unwrap(GuidanceRescale rescale) {
        return new GuidanceRescale(unwrap(rescale.out()), unwrap(rescale.guided()), unwrap(rescale.text()),
            unwrap(rescale.work()), rescale.pictures(), rescale.strength());
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public long bytes() {
        return real.bytes();
    }

    @Override
    public void close() {
        real.close();
    }
}
