package dev.slipstream.pipelines.run;

import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Who waits for whom in a program that does not go on. All it asks is which events are done: what a stream does lies
 * between its last record that is done and its first that is not, and of two streams of which one waits for the other
 * the other is to blame.
 *
 * @param stuck what each stuck stream does, by stream
 * @param cycle streams that wait for each other in a ring, in this order; empty if there is none
 */
record StallReport(Map<Integer, Stuck> stuck, List<Integer> cycle) {
    /** What a stream does that does not go on. */
    sealed interface Stuck {
    }

    /** It does one of these; which one cannot be seen. */
    record Busy(List<Instruction> works) implements Stuck {
    }

    /** It waits for what another stream did last before a record; empty if the event was not recorded. */
    record Waiting(Instruction.Wait at, Optional<Instruction> reason) implements Stuck {
    }

    /** @param awaited the first wait for an event that is not done */
    private record Pending(List<Instruction> works, Optional<Instruction.Wait> awaited) {
    }

    /**
     * Examines a program of which the first {@code queued} instructions were queued in this run.
     *
     * @param ran whether something that is launched on condition was
     * @param isDone whether an event was passed
     * @param isBusy whether a stream is known not to have ended, though all its events may be done
     */
    static StallReport of(Program program, int queued, Predicate<Instruction.Launch> ran, IntPredicate isDone,
        IntPredicate isBusy) {
        List<Instruction> all = program.instructions().subList(0, queued).stream()
            .filter(it -> !(it instanceof Instruction.Launch launch) || ran.test(launch)).toList();
        Map<Integer, Pending> pending = new TreeMap<>();
        for (int stream = 0; stream < program.streams().size(); stream++) {
            int index = stream;
            pending(all.stream().filter(it -> it.stream() == index).toList(), isDone, isBusy.test(stream))
                .ifPresent(each -> pending.put(index, each));
        }
        boolean someRunForSure = pending.values().stream().anyMatch(each -> each.awaited().isEmpty());
        Map<Integer, Stuck> stuck = new TreeMap<>();
        pending.forEach((stream, each) -> {
            boolean waits = each.awaited().isPresent() && (each.works().isEmpty() || someRunForSure);
            stuck.put(stream, waits ? new Waiting(each.awaited().get(), reason(all, each.awaited().get()))
                : new Busy(each.works()));
        });
        return new StallReport(stuck, cycle(stuck));
    }

    /** What of a stream is not done for sure; empty if all may be. */
    private static Optional<Pending> pending(List<Instruction> stream, IntPredicate isDone, boolean busy) {
        int from = 0;
        for (int index = 0; index < stream.size(); index++) {
            if (stream.get(index) instanceof Instruction.Record record && isDone.test(record.event())) {
                from = index + 1;
            }
        }
        List<Instruction> works = new ArrayList<>();
        for (Instruction instruction : stream.subList(from, stream.size())) {
            if (instruction instanceof Instruction.Wait wait && !isDone.test(wait.event())) {
                return Optional.of(new Pending(works, Optional.of(wait)));
            }
            if (instruction instanceof Instruction.Record) {
                return Optional.of(new Pending(works, Optional.empty()));
            }
            if (instruction instanceof Instruction.Launch) {
                works.add(instruction);
            }
        }
        return busy ? Optional.of(new Pending(works, Optional.empty())) : Optional.empty();
    }

    private static Optional<Instruction> reason(List<Instruction> all, Instruction.Wait wait) {
        for (int index = all.size() - 1; index >= 0; index--) {
            if (all.get(index) instanceof Instruction.Record record && record.event() == wait.event()) {
                return all.subList(0, index).reversed().stream()
                    .filter(it -> it.stream() == record.stream() && it instanceof Instruction.Launch).findFirst()
                    .or(() -> Optional.of(record));
            }
        }
        return Optional.empty();
    }

    private static List<Integer> cycle(Map<Integer, Stuck> stuck) {
        Map<Integer, Integer> waitsFor = new HashMap<>();
        stuck.forEach((stream, what) -> {
            if (what instanceof Waiting waiting) {
                waiting.reason().ifPresent(reason -> waitsFor.put(stream, reason.stream()));
            }
        });
        for (int start : waitsFor.keySet()) {
            List<Integer> way = new ArrayList<>();
            Integer stream = start;
            while (stream != null && !way.contains(stream)) {
                way.add(stream);
                stream = waitsFor.get(stream);
            }
            if (stream != null) {
                return List.copyOf(way.subList(way.indexOf(stream), way.size()));
            }
        }
        return List.of();
    }

    /** The streams whose devices have to be given up: those that do something, else all. */
    List<Integer> culprits() {
        List<Integer> busy = stuck.keySet().stream().filter(stream -> stuck.get(stream) instanceof Busy).toList();
        return busy.isEmpty() ? List.copyOf(stuck.keySet()) : busy;
    }

    /** In words, one part a stream. */
    String describe(LoopNames names) {
        Stream<String> streams = stuck.entrySet().stream()
            .map(entry -> names.stream(entry.getKey()) + " " + doing(entry.getValue(), names));
        Stream<String> ring = cycle.isEmpty() ? Stream.empty() : Stream.of("a cycle: "
            + String.join(" -> ", Stream.concat(cycle.stream(), cycle.stream().limit(1)).map(names::stream).toList()));
        return String.join(", ", Stream.concat(streams, ring).toList());
    }

    private static String doing(Stuck what, LoopNames names) {
        return switch (what) {
            case Busy busy -> busy.works().isEmpty() ? "does not end"
                : "runs " + names.works(busy.works()) + " of step " + (busy.works().getFirst().step() + 1);
            case Waiting waiting -> "waits in step " + (waiting.at().step() + 1) + " for "
                + waiting.reason().map(reason -> names.works(List.of(reason)) + " on " + names.stream(reason.stream())
                    + " (step " + (reason.step() + 1) + ")").orElse("an event that was not recorded");
        };
    }
}
