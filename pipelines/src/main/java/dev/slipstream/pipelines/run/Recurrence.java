package dev.slipstream.pipelines.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Finds what the steps of a program have in common. An instruction is recurring if an equal one occurs in at least
 * three steps; a chunk is a longest sequence of recurring work of one stream in one step. Waits and records stay
 * outside, as their events differ from step to step, and so does what devices cannot record.
 */
final class Recurrence {
    /** Fewer are not worth it: the first time a chunk is queued as it is, the second time it is recorded. */
    private static final int STEPS = 3;

    private final Map<Instruction, Count> counts = new HashMap<>();

    private static final class Count {
        private int steps;
        private int last = -1;
    }

    /** Indexes of the chunk's instructions, in the program. */
    record Chunk(int stream, List<Integer> instructions) {
        /** What chunks that do the same have in common. */
        List<Instruction> content(Program program) {
            return instructions.stream().map(index -> program.instructions().get(index).atStep(0)).toList();
        }
    }

    private Recurrence(Program program) {
        for (Instruction instruction : program.instructions()) {
            if (instruction.isWork()) {
                Count count = counts.computeIfAbsent(instruction.atStep(0), key -> new Count());
                count.steps += count.last == instruction.step() ? 0 : 1;
                count.last = instruction.step();
            }
        }
    }

    /**
     * The chunks that are worth a recording, in the order in which they begin.
     *
     * @param recordable whether the device of an instruction's stream can record it
     */
    static List<Chunk> chunks(Program program, Predicate<Instruction> recordable) {
        return new Recurrence(program).find(program, recordable);
    }

    /** What these chunks save. */
    static Replays summary(Program program, List<Chunk> chunks) {
        int replayed = chunks.stream().mapToInt(chunk -> chunk.instructions().size()).sum();
        int recordings = (int) chunks.stream().map(chunk -> chunk.content(program)).distinct().count();
        int all = program.instructions().size();
        return new Replays(program.steps(), all, replayed, recordings, all - replayed + chunks.size());
    }

    private List<Chunk> find(Program program, Predicate<Instruction> recordable) {
        List<Chunk> chunks = new ArrayList<>();
        Map<Integer, Chunk> open = new HashMap<>();
        for (int index = 0; index < program.instructions().size(); index++) {
            Instruction instruction = program.instructions().get(index);
            Chunk chunk = open.get(instruction.stream());
            boolean recurs = instruction.isWork() && recordable.test(instruction)
                && counts.get(instruction.atStep(0)).steps >= STEPS;
            if (!recurs) {
                open.remove(instruction.stream());
            } else if (chunk != null && stepOf(program, chunk) == instruction.step()) {
                chunk.instructions().add(index);
            } else {
                Chunk begun = new Chunk(instruction.stream(), new ArrayList<>(List.of(index)));
                open.put(instruction.stream(), begun);
                chunks.add(begun);
            }
        }
        chunks.removeIf(chunk -> !isWorthIt(program, chunk));
        return chunks;
    }

    private static int stepOf(Program program, Chunk chunk) {
        return program.instructions().get(chunk.instructions().getFirst()).step();
    }

    /** One kernel costs as much to queue as one recording; an engine is many kernels. */
    private static boolean isWorthIt(Program program, Chunk chunk) {
        return chunk.instructions().size() > 1
            || program.instructions().get(chunk.instructions().getFirst()) instanceof Instruction.Run;
    }
}
