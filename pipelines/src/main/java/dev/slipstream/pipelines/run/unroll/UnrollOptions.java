package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Device;
import java.util.List;

/**
 * What of the devices and the user's wishes changes the program, beside the plan and the loop.
 *
 * @param copyStreams whether copies between devices get a stream of their own on the device that they come from
 * @param readsInPlace whether stages read what other devices made where it lies, without a copy
 * @param copiedTimesteps whether each step's timestep is copied to where the steps before had theirs, so that steps
 *     differ in this copy alone and the rest can be replayed; else stages read it where the host put it
 * @param finiteChecks whether what stages make is searched for NaN and infinite values
 */
public record UnrollOptions(boolean copyStreams, boolean readsInPlace, boolean copiedTimesteps, boolean finiteChecks) {
    /** For devices that copy on the stream on which they compute, and do not replay. */
    public static final UnrollOptions PLAIN = new UnrollOptions(false, false, false, false);

    /** For devices of one memory. */
    public static final UnrollOptions IN_PLACE = new UnrollOptions(false, true, false, false);

    public UnrollOptions withFiniteChecks(boolean checks) {
        return new UnrollOptions(copyStreams, readsInPlace, copiedTimesteps, checks);
    }

    /** What suits these devices. */
    public static UnrollOptions of(List<Device> devices, boolean finiteChecks) {
        return ofTraits(devices.stream().map(Device::traits).toList(), finiteChecks);
    }

    /** What suits devices that are such, and need not be there. */
    public static UnrollOptions ofTraits(List<Device.Traits> traits, boolean finiteChecks) {
        boolean captured = traits.stream().anyMatch(Device.Traits::capturesGraphs);
        boolean shared = traits.stream().allMatch(Device.Traits::readsInPlace)
            && traits.stream().map(Device.Traits::hardware).distinct().count() == 1;
        return new UnrollOptions(traits.stream().allMatch(Device.Traits::copiesBesideComputing), shared && !captured,
            captured, finiteChecks);
    }
}
