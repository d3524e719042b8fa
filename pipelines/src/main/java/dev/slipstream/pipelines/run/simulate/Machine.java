package dev.slipstream.pipelines.run.simulate;

import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a program is simulated on. Every stream is a queue of its own: those of a device compute and copy at the same
 * time, as if neither slowed the other down.
 *
 * @param devices by their number in the program
 * @param costs of what stays on a device
 * @param interconnect for copies from device to device
 */
public record Machine(List<Device> devices, Costs costs, Interconnect interconnect, Host host) {
    /**
     * A device.
     *
     * @param name what people call it
     * @param weightBytes of the engines on it, with what these need beside the program's buffers
     */
    public record Device(String name, long weightBytes) {
    }

    /** How long a device takes for things. A function: the same question must have the same answer. */
    public interface Costs {
        /**
         * Nanoseconds, 0 or more.
         *
         * @param device its number in the program
         * @param work anything but a copy to another device
         */
        long nanos(int device, Work<Region> work);
    }

    /**
     * The thread that queues the program.
     *
     * @param instructionNanos how long it takes to queue an instruction, 0 or more; nothing starts before it is queued
     * @param stepsAhead how many steps it queues before it waits for the first of them, 0 or more
     */
    public record Host(long instructionNanos, int stepsAhead) {
        /** Takes no time, and never waits. */
        public static final Host FREE = new Host(0, Integer.MAX_VALUE);

        /** One that waits as an execution does. */
        public static Host of(long instructionNanos) {
            return new Host(instructionNanos, Execution.STEPS_AHEAD);
        }

        public Host {
            if (instructionNanos < 0 || stepsAhead < 0) {
                throw new IllegalArgumentException("a host cannot take " + instructionNanos + " ns an instruction, "
                    + stepsAhead + " steps ahead");
            }
        }
    }

    public Machine {
        devices = List.copyOf(devices);
    }

    /**
     * A machine on which only these costs take time: copies between devices and queueing take none. What a program
     * takes there is its critical path.
     */
    public static Machine ideal(int devices, Costs costs) {
        return new Machine(IntStream.range(0, devices).mapToObj(index -> new Device("device " + index, 0)).toList(),
            costs, Interconnect.INSTANT, Host.FREE);
    }

    public Machine with(Interconnect other) {
        return new Machine(devices, costs, other, host);
    }

    public Machine with(Host other) {
        return new Machine(devices, costs, interconnect, other);
    }
}
