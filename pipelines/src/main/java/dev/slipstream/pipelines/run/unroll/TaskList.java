package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Program.StreamSpec;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The work of a loop on values, in the order in which it is queued. Each device computes on the stream of its own
 * number; behind these, each device may have a stream for the copies that come from it.
 */
final class TaskList {
    /** A decision at a step. */
    record Choice(int decision, int step) {
    }

    private final int devices;
    private final boolean copyStreams;
    private final List<Task> tasks = new ArrayList<>();
    private final Map<Choice, List<Work.Report<Access>>> reports = new LinkedHashMap<>();
    private int scalars;

    TaskList(int devices, boolean copyStreams) {
        this.devices = devices;
        this.copyStreams = copyStreams;
    }

    /** Adds work that a device does on its own tensors. */
    void add(int device, int step, Work<Access> work) {
        add(device, step, work, Optional.empty());
    }

    /** Adds such work that may be left out. */
    void add(int device, int step, Work<Access> work, Optional<Condition> condition) {
        tasks.add(new Task(device, step, work, condition));
    }

    /** Adds a copy of a value to a device. @return the value there */
    Value copy(Value value, int device, int step, String role) {
        Value copied = Value.made(role, device, value.bytes());
        copy(value, copied, step, Optional.empty());
        return copied;
    }

    /** Adds a copy of a value to another, maybe on another device, that may be left out. */
    void copy(Value from, Value to, int step, Optional<Condition> condition) {
        boolean isBetween = copyStreams && from.device() != to.device();
        tasks.add(new Task(isBetween ? devices + from.device() : to.device(), step,
            new Work.Copy<>(from.all(), to.all()), condition));
    }

    /**
     * Adds the report of a number by which something is decided; of several for one choice, all on one device.
     *
     * @param choice what is
     */
    void report(int device, int step, Value number, Choice choice, Optional<Condition> condition) {
        Work.Report<Access> report = new Work.Report<>(number.all(), scalars++);
        add(device, step, report, condition);
        reports.computeIfAbsent(choice, key -> new ArrayList<>()).add(report);
    }

    List<Task> tasks() {
        return tasks;
    }

    /** What each choice is made by, in the order in which it is made. */
    Map<Choice, List<Work.Report<Access>>> reports() {
        return reports;
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
