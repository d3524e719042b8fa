package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.run.unroll.Staleness;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a plan would take for the loop of a picture.
 *
 * @param plan as {@link dev.slipstream.pipelines.plan.Strategy#parse} reads it
 * @param devices how many it runs on, of those that there are the first ones
 * @param nanos of the loop
 * @param busyShare of the devices' time in which they work
 * @param memoryBytes on each device
 * @param roomBytes that each device has
 * @param copiedBytes between devices
 * @param staleness how old the values are that pictures are made of
 * @param decibels likeness to the exact pictures, where it was measured of this model
 * @param basis where the times are from
 * @param assumed whether it was assumed at which steps a part runs, as the loop decides it
 */
public record PlanForecast(String plan, int devices, long nanos, double busyShare, List<Long> memoryBytes,
    List<Long> roomBytes, long copiedBytes, Staleness staleness, OptionalDouble decibels, Basis basis,
    boolean assumed) {

    public PlanForecast {
        memoryBytes = List.copyOf(memoryBytes);
        roomBytes = List.copyOf(roomBytes);
    }

    /** Whether each device has the memory. */
    public boolean fits() {
        for (int device = 0; device < memoryBytes.size(); device++) {
            if (memoryBytes.get(device) > roomBytes.get(device)) {
                return false;
            }
        }
        return true;
    }

    /** How many times as fast as another it is. */
    public double speedUp(PlanForecast other) {
        return (double) other.nanos / nanos;
    }
}
