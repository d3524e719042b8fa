package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.Combination;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.GuidanceRescale;
import dev.slipstream.bridge.Limiting;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a command of every instruction, with everything looked up, so that queueing is a walk over an array that
 * allocates nothing.
 */
final class Binder {
    private static final Runnable DONE_BY_ITS_CHUNK = () -> { };

    private final Program program;
    private final Resources resources;
    private final List<StageEngine> engines;
    private final Tracer tracer;
    private final Map<Integer, ExecutionContext> contexts = new HashMap<>();
    private final Map<List<Object>, Bindings> bindings = new HashMap<>();

    Binder(Program program, Resources resources, List<StageEngine> engines, Tracer tracer) {
        this.program = program;
        this.resources = resources;
        this.engines = engines;
        this.tracer = tracer;
    }

    /**
     * One command for each instruction. That of a chunk's first queues the whole chunk: between it and the last, its
     * stream has neither waits nor records, so nobody can tell.
     *
     * @param chunks what to replay
     */
    Runnable[] bind(List<Recurrence.Chunk> chunks) {
        Runnable[] commands = program.instructions().stream().map(this::command).toArray(Runnable[]::new);
        Map<List<Instruction>, Replay> replays = new HashMap<>();
        Replay.Refusals refusals = new Replay.Refusals();
        for (Recurrence.Chunk chunk : chunks) {
            Replay replay = replays.computeIfAbsent(chunk.content(program), key ->
                new Replay(resources, refusals, resources.streams().get(chunk.stream()),
                    chunk.instructions().stream().map(index -> commands[index]).toArray(Runnable[]::new)));
            chunk.instructions().forEach(index -> commands[index] = DONE_BY_ITS_CHUNK);
            commands[chunk.instructions().getFirst()] = replay;
        }
        return commands;
    }

    /** For each step, how many instructions there are up to its end. */
    static int[] stepEnds(Program program) {
        int[] ends = new int[program.steps()];
        for (int i = 0; i < program.instructions().size(); i++) {
            ends[program.instructions().get(i).step()] = i + 1;
        }
        return ends;
    }

    private Runnable command(Instruction instruction) {
        Stream stream = resources.streams().get(instruction.stream());
        return switch (instruction) {
            case Instruction.Run run -> {
                Bindings bound = bindings.computeIfAbsent(List.of(run.stage(), run.tensors()), key -> tensors(run));
                yield tracer == null ? () -> stream.run(bound) : tracer.around(run, stream, () -> stream.run(bound));
            }
            case Instruction.Copy copy -> {
                Slice from = resources.slice(copy.from());
                Slice to = resources.slice(copy.to());
                yield () -> stream.copy(from, to);
            }
            case Instruction.Combine combine -> {
                Combination combination = new Combination(resources.slice(combine.to()),
                    combine.from().stream().map(resources::slice).toList(), combine.weights());
                yield () -> stream.combine(combination);
            }
            case Instruction.Rescale rescale -> {
                GuidanceRescale prepared = new GuidanceRescale(resources.slice(rescale.to()),
                    resources.slice(rescale.guided()), resources.slice(rescale.text()),
                    resources.slice(rescale.space()), rescale.pictures(), rescale.strength());
                yield () -> stream.rescale(prepared);
            }
            case Instruction.Limiting limit -> {
                Limiting prepared = new Limiting(resources.slice(limit.to()), resources.slice(limit.from()),
                    limit.pictures(), limit.limit());
                yield () -> stream.limit(prepared);
            }
            case Instruction.Guard guard -> {
                Tensor tensor = new Tensor(resources.slice(guard.region()), guard.type());
                Slice mark = resources.slice(guard.mark());
                yield () -> stream.guard(tensor, mark, guard.label());
            }
            case Instruction.Record record -> {
                Event event = resources.events()[record.event()];
                yield () -> stream.record(event);
            }
            case Instruction.Wait wait -> {
                Event event = resources.events()[wait.event()];
                yield () -> stream.await(event);
            }
        };
    }

    private Bindings tensors(Instruction.Run run) {
        StageEngine stage = engines.get(run.stage());
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        run.tensors().forEach((name, region) -> {
            tensors.put(name, new Tensor(resources.slice(region), stage.types().get(name)));
        });
        return contexts.computeIfAbsent(run.stage(), key -> resources.own(stage.engine().newContext())).bind(tensors);
    }
}
