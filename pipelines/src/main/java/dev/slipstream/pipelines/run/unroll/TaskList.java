package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Program.StreamSpec;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The work of a loop on values, in the order in which it is queued. Each device computes on the stream of its own
 * number; behind these, each device may have a stream for the copies that come from it.
 */
final class TaskList {
    private final int devices;
    private final boolean copyStreams;
    private final List<Task> tasks = new ArrayList<>();

    TaskList(int devices, boolean copyStreams) {
        this.devices = devices;
        this.copyStreams = copyStreams;
    }

    /** Adds work that a device does on its own tensors. */
    void add(int device, int step, Work<Access> work) {
        tasks.add(new Task(device, step, work));
    }

    /** Adds a copy of a value to a device. @return the value there */
    Value copy(Value value, int device, int step, String role) {
        Value copied = Value.made(role, device, value.bytes());
        int stream = copyStreams ? devices + value.device() : device;
        tasks.add(new Task(stream, step, new Work.Copy<>(value.all(), copied.all())));
        return copied;
    }

    List<Task> tasks() {
        return tasks;
    }

    List<StreamSpec> streams() {
        List<StreamSpec> streams = new ArrayList<>();
        IntStream.range(0, devices).forEach(device -> streams.add(new StreamSpec(device, false)));
        if (copyStreams) {
            IntStream.range(0, devices).forEach(device -> streams.add(new StreamSpec(device, true)));
        }
        return streams;
    }
}
