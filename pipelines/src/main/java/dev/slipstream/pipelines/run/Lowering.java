package dev.slipstream.pipelines.run;

import dev.slipstream.pipelines.run.Program.StreamSpec;
import dev.slipstream.pipelines.run.Value.Access;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives values their buffers and derives every wait.
 *
 * <p>Each work has a vector clock: how many works of each stream are surely done before it starts. A work that reads a
 * value of another stream waits for its writer, unless the clock says that it is done already. The {@link BufferPool}
 * gives a buffer again only to a work that, by its clock, starts after everything that touched the old value; so reuse
 * never adds a wait, and buffers ping-pong by themselves where an edge has slip.
 */
final class Lowering {
    private final List<StreamSpec> streams;
    private final BufferPool buffers;
    private final List<HostInput> hostInputs = new ArrayList<>();
    private final Map<Value, Region> places;
    private final Map<Value, Integer> readsLeft = new HashMap<>();
    private final Map<Value, List<Node>> touches = new HashMap<>();
    private final int[][] clocks;

    /** @param repeating whether buffers are given so that steps repeat, see {@link BufferPool} */
    Lowering(List<StreamSpec> streams, HostValues host, boolean repeating) {
        this.streams = streams;
        this.buffers = new BufferPool(repeating);
        this.clocks = new int[streams.size()][streams.size()];
        int devices = 1 + streams.stream().mapToInt(StreamSpec::device).max().orElse(0);
        this.places = new HashMap<>(host.place(buffers.buffers(), hostInputs, devices));
    }

    /**
     * @param results per step the latents that it makes; the work that writes each gets the step's event
     * @param estimates by step, each written before the step's latents and on the same stream
     */
    Program lower(List<Work> works, List<Value> results, Map<Integer, Value> estimates) {
        works.forEach(work -> work.reads().forEach(access -> readsLeft.merge(access.value(), 1, Integer::sum)));
        List<Node> nodes = works.stream().map(this::order).toList();
        int events = 0;
        for (Node node : nodes) {
            for (Node awaited : node.waits) {
                if (awaited.event < 0) {
                    awaited.event = events++;
                }
            }
        }
        List<Integer> stepEvents = new ArrayList<>();
        for (Value result : results) {
            Node writer = touches.get(result).getFirst();
            if (writer.event < 0) {
                writer.event = events++;
            }
            stepEvents.add(writer.event);
        }
        List<Instruction> instructions = new ArrayList<>();
        for (Node node : nodes) {
            Work work = node.work;
            node.waits.forEach(awaited ->
                instructions.add(new Instruction.Wait(work.stream(), work.step(), awaited.event)));
            instructions.add(instruction(work, instructions.size()));
            if (node.event >= 0) {
                instructions.add(new Instruction.Record(work.stream(), work.step(), node.event));
            }
        }
        Map<Integer, Region> estimateRegions = new HashMap<>();
        estimates.forEach((step, value) -> estimateRegions.put(step, places.get(value)));
        return new Program(streams, buffers.buffers(), hostInputs, instructions, events, stepEvents,
            results.stream().map(places::get).toList(), estimateRegions);
    }

    private Node order(Work work) {
        int stream = work.stream();
        int[] clock = clocks[stream].clone();
        Node node = new Node(work, clock[stream]);
        for (Access read : work.reads()) {
            for (Node touch : touches.getOrDefault(read.value(), List.of())) {
                if (touch.writes(read.value()) && !touch.isBefore(clock)) {
                    node.waits.removeIf(earlier -> earlier.work.stream() == touch.work.stream());
                    node.waits.add(touch);
                    for (int i = 0; i < clock.length; i++) {
                        clock[i] = Math.max(clock[i], touch.clockAfter[i]);
                    }
                }
            }
        }
        for (Access write : work.writes()) {
            places.computeIfAbsent(write.value(), value -> buffers.place(value, clock));
            touches.computeIfAbsent(write.value(), value -> new ArrayList<>()).add(node);
        }
        node.clockAfter = clock.clone();
        node.clockAfter[stream] = node.index + 1;
        clocks[stream] = node.clockAfter;
        for (Access read : work.reads()) {
            touches.computeIfAbsent(read.value(), value -> new ArrayList<>()).add(node);
            if (readsLeft.merge(read.value(), -1, Integer::sum) == 0) {
                release(read.value());
            }
        }
        for (Access write : work.writes()) {
            // A segment may make a tensor that nobody reads at this step; its bytes are free at once.
            if (!readsLeft.containsKey(write.value())) {
                release(write.value());
            }
        }
        return node;
    }

    private void release(Value value) {
        buffers.release(value, places.get(value).buffer(), touches.get(value));
    }

    private Region region(Access access) {
        Region whole = places.get(access.value());
        return new Region(whole.buffer(), whole.offset() + access.offset(), access.bytes());
    }

    private Instruction instruction(Work work, int index) {
        return switch (work) {
            case Work.Copy copy ->
                new Instruction.Copy(copy.stream(), copy.step(), region(copy.from()), region(copy.to()));
            case Work.Combine combine -> new Instruction.Combine(combine.stream(), combine.step(),
                region(combine.to()), combine.from().stream().map(this::region).toList(), combine.weights());
            case Work.Rescale rescale -> new Instruction.Rescale(rescale.stream(), rescale.step(),
                region(rescale.to()), region(rescale.guided()), region(rescale.text()), region(rescale.space()),
                rescale.pictures(), rescale.strength());
            case Work.Limiting limit -> new Instruction.Limiting(limit.stream(), limit.step(), region(limit.to()),
                region(limit.from()), limit.pictures(), limit.limit());
            case Work.Guard guard -> new Instruction.Guard(guard.stream(), guard.step(), guard.stage(), guard.tensor(),
                guard.type(), region(guard.value()), region(guard.mark()), index);
            case Work.Run run -> {
                Map<String, Region> tensors = new LinkedHashMap<>();
                run.inputs().forEach((name, access) -> tensors.put(name, region(access)));
                run.outputs().forEach((name, access) -> tensors.put(name, region(access)));
                yield new Instruction.Run(run.stream(), run.step(), run.stage(), tensors);
            }
        };
    }
}
