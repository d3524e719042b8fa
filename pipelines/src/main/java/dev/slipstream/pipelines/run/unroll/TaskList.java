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
    private final Map<Choice, Work.Report<Access>> reports = new LinkedHashMap<>();

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
        int stream = copyStreams ? devices + value.device() : device;
        tasks.add(new Task(stream, step, new Work.Copy<>(value.all(), copied.all()), Optional.empty()));
        return copied;
    }

    /**
     * Adds the report of a number by which something is decided.
     *
     * @param choice what is
     * @param scalar number of the report
     */
    void report(int device, int step, Value number, Choice choice, int scalar) {
        Work.Report<Access> report = new Work.Report<>(number.all(), scalar);
        add(device, step, report);
        reports.put(choice, report);
    }

    List<Task> tasks() {
        return tasks;
    }

    /** What each choice is made by. */
    Map<Choice, Work.Report<Access>> reports() {
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
