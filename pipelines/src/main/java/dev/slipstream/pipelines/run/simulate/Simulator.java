package dev.slipstream.pipelines.run.simulate;

import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program.StreamSpec;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Recording;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Forecast.Memory;
import dev.slipstream.pipelines.run.simulate.Interconnect.Link;
import dev.slipstream.pipelines.run.simulate.Interconnect.Route;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Runs a program in virtual time, as an execution runs it: a host queues the instructions in their order, each stream
 * takes its own one after another, and waits for other streams where the program says so. Time goes from event to
 * event.
 */
public final class Simulator {
    private static final long NEVER = Long.MAX_VALUE;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Program program;
    private final Machine machine;
    private final Predicate<Instruction.Launch> runs;
    private final Host host;
    private final List<Queue> queues;
    private final Traffic traffic = new Traffic();
    private final Recording recording;
    private final boolean[] passed;
    /** By event the streams that are held up by it. */
    private final List<List<Queue>> waiting;
    private long now;

    private Simulator(Program program, Machine machine, Predicate<Instruction.Launch> runs) {
        this.program = program;
        this.machine = machine;
        this.runs = runs;
        this.host = new Host();
        this.queues = queues();
        this.recording =
            new Recording(program, machine.devices().stream().map(Machine.Device::name).toList(), List.of());
        this.passed = new boolean[program.events()];
        this.waiting = Stream.generate(() -> (List<Queue>) new ArrayList<Queue>(1)).limit(program.events()).toList();
    }

    private List<Queue> queues() {
        List<Instruction> all = program.instructions();
        int[] counts = new int[program.streams().size()];
        all.forEach(instruction -> counts[instruction.stream()]++);
        List<Queue> made = Arrays.stream(counts).mapToObj(Queue::new).toList();
        for (int index = all.size() - 1; index >= 0; index--) {
            int stream = all.get(index).stream();
            made.get(stream).instructions[--counts[stream]] = index;
        }
        return made;
    }

    /**
     * Forecasts one run of a program.
     *
     * @param machine with as many devices as the program has, or more
     * @return stages in its timeline have no names; give it some ({@code timeline().named(…)})
     * @throws IllegalArgumentException if the program waits for what is not recorded before, or the machine has too few
     *     devices, no way for a copy, or a cost that is negative
     */
    public static Forecast simulate(Program program, Machine machine) {
        return simulate(program, machine, program::isExpected);
    }

    /**
     * Forecasts a run in which decisions go in a certain way; without that, as their rules expect.
     *
     * @param runs whether something is launched: asked of all, also of what is in any case
     */
    public static Forecast simulate(Program program, Machine machine, Predicate<Instruction.Launch> runs) {
        program.requireRecordsBeforeWaits();
        int devices = 1 + program.streams().stream().mapToInt(StreamSpec::device).max().orElse(-1);
        if (devices > machine.devices().size()) {
            throw new IllegalArgumentException("the program is for " + devices + " devices, and the machine has "
                + machine.devices().size());
        }
        return new Simulator(program, machine, runs).run();
    }

    private Forecast run() {
        long next = 0;
        while (next != NEVER) {
            now = next;
            traffic.goTo(now);
            settle();
            next = next();
        }
        List<Memory> memory = IntStream.range(0, machine.devices().size()).mapToObj(device ->
            new Memory(machine.devices().get(device).weightBytes(), program.bufferBytes(device))).toList();
        return new Forecast(recording.timeline(now), memory);
    }

    /** Lets everything happen that happens now. */
    private void settle() {
        boolean moved = true;
        while (moved) {
            moved = host.advance();
            for (Queue queue : queues) {
                moved |= queue.mayAdvance() && queue.advance();
            }
        }
    }

    /** When something happens next. */
    private long next() {
        long next = Math.min(host.next(), traffic.next());
        for (Queue queue : queues) {
            next = Math.min(next, queue.until);
        }
        return next;
    }

    /** Queues instructions, a few steps ahead of the streams. */
    private final class Host {
        private final int[] stepEnds = program.stepEnds();
        private int step;
        private int queued;
        private long readyAt = machine.host().instructionNanos();
        private boolean waits;

        /** Queues what it has ready. @return whether that was anything */
        boolean advance() {
            boolean moved = false;
            while (step < stepEnds.length) {
                while (queued < stepEnds[step]) {
                    if (readyAt > now) {
                        return moved;
                    }
                    waits = program.instructions().get(queued) instanceof Instruction.Decide decide
                        && !passed[decide.event()];
                    if (waits) {
                        return moved;
                    }
                    queues.get(program.instructions().get(queued++).stream()).push();
                    readyAt = now + machine.host().instructionNanos();
                    moved = true;
                }
                int awaited = step - machine.host().stepsAhead();
                waits = awaited >= 0 && !passed[program.stepEvents().get(awaited)];
                if (waits) {
                    return moved;
                }
                readyAt = Math.max(readyAt, now + machine.host().instructionNanos());
                step++;
            }
            return moved;
        }

        long next() {
            return step == stepEnds.length || waits ? NEVER : readyAt;
        }
    }

    /** A stream: its instructions in their order, one at a time. */
    private final class Queue {
        private static final int NONE = -1;

        private final int[] instructions;
        /** Something came for it, or what it waited for. */
        private boolean stirred;
        private boolean held;
        private int queued;
        private int done;
        private long since = NONE;
        private long until = NEVER;
        private Traffic.Transfer transfer;

        /** @param count of its instructions, which the simulator fills in */
        Queue(int count) {
            this.instructions = new int[count];
        }

        void push() {
            queued++;
            stirred = true;
        }

        private void release() {
            stirred = true;
            held = false;
        }

        boolean mayAdvance() {
            return stirred || until <= now || transfer != null && traffic.isDone(transfer);
        }

        /** Ends what is over, and begins what comes next. @return whether there was anything */
        boolean advance() {
            stirred = false;
            int before = done;
            boolean begun = false;
            while (done < queued) {
                Instruction instruction = program.instructions().get(instructions[done]);
                if (since == NONE) {
                    since = now;
                    begin(instruction);
                    begun = true;
                }
                if (!isOver(instruction)) {
                    if (instruction instanceof Instruction.Wait wait && !held) {
                        held = true;
                        waiting.get(wait.event()).add(this);
                    }
                    break;
                }
                end(instruction);
            }
            return begun || done > before;
        }

        private void begin(Instruction instruction) {
            if (!(instruction instanceof Instruction.Launch launch)) {
                return;
            }
            if (!runs.test(launch)) {
                until = now;
                return;
            }
            if (launch.work() instanceof Work.Copy<Region>(Region from, Region to)
                && program.isBetweenDevices(launch.work())) {
                transfer = traffic.begin(program.device(from), program.device(to), from.bytes());
            } else {
                int device = program.streams().get(launch.stream()).device();
                until = now + nanos(device, launch.work());
            }
        }

        private long nanos(int device, Work<Region> work) {
            long nanos = machine.costs().nanos(device, work);
            if (nanos < 0) {
                throw new IllegalArgumentException("a work cannot take " + nanos + " ns on device " + device);
            }
            return nanos;
        }

        private boolean isOver(Instruction instruction) {
            return switch (instruction) {
                case Instruction.Record record -> true;
                case Instruction.Wait wait -> passed[wait.event()];
                // The host has waited, and decided, before it pushed this.
                case Instruction.Decide decide -> true;
                case Instruction.Launch launch -> transfer == null ? until <= now : traffic.isDone(transfer);
            };
        }

        private void end(Instruction instruction) {
            if (instruction instanceof Instruction.Record record) {
                passed[record.event()] = true;
                waiting.get(record.event()).forEach(Queue::release);
                waiting.get(record.event()).clear();
            } else if (instruction instanceof Instruction.Launch launch ? runs.test(launch) : since < now) {
                recording.add(instructions[done], since, now, now - since);
            }
            since = NONE;
            until = NEVER;
            transfer = null;
            done++;
        }
    }

    /** Copies on their way. */
    private final class Traffic {
        /** One copy. It arrives never as long as it has not left. */
        private static final class Transfer {
            private final int[] links;
            private final long departure;
            private double bytesLeft;
            private double bytesPerNano;
            private long arrival = NEVER;

            Transfer(int[] links, long bytes, long departure) {
                this.links = links;
                this.bytesLeft = bytes;
                this.departure = departure;
            }
        }

        private final Map<List<Integer>, Way> ways = new HashMap<>();
        private final List<Link> links = new ArrayList<>();
        private final List<Transfer> waiting = new ArrayList<>();
        private final List<Transfer> moving = new ArrayList<>();
        private long now;

        /** A route, with the places of its links among all. */
        private record Way(long latencyNanos, int[] links) {
        }

        private Way way(int from, int to) {
            return ways.computeIfAbsent(List.of(from, to), ends -> {
                Route route = machine.interconnect().route(from, to);
                return new Way(route.latencyNanos(), route.links().stream().mapToInt(link -> {
                    if (!links.contains(link)) {
                        links.add(link);
                    }
                    return links.indexOf(link);
                }).toArray());
            });
        }

        Transfer begin(int from, int to, long bytes) {
            Way way = way(from, to);
            Transfer transfer = new Transfer(way.links, bytes, now + way.latencyNanos);
            waiting.add(transfer);
            goTo(now);
            return transfer;
        }

        boolean isDone(Transfer transfer) {
            return transfer.arrival <= now;
        }

        /** When a copy leaves or arrives next. */
        long next() {
            long next = NEVER;
            for (Transfer transfer : waiting) {
                next = Math.min(next, transfer.departure);
            }
            for (Transfer transfer : moving) {
                next = Math.min(next, transfer.arrival);
            }
            return next;
        }

        /** Lets time go on, at most to what comes next. */
        void goTo(long time) {
            if (time > now) {
                moving.forEach(transfer -> transfer.bytesLeft -= transfer.bytesPerNano * (time - now));
                now = time;
            }
            boolean changes = moving.removeIf(this::isDone);
            for (int i = 0; i < waiting.size(); i++) {
                if (waiting.get(i).departure <= now) {
                    moving.add(waiting.remove(i--));
                    changes = true;
                }
            }
            if (changes) {
                share();
            }
        }

        /** Gives each copy its share of the links on its way. */
        private void share() {
            int[] loads = new int[links.size()];
            for (Transfer transfer : moving) {
                for (int link : transfer.links) {
                    loads[link]++;
                }
            }
            for (Transfer transfer : moving) {
                transfer.bytesPerNano = Double.POSITIVE_INFINITY;
                for (int link : transfer.links) {
                    transfer.bytesPerNano = Math.min(transfer.bytesPerNano,
                        links.get(link).bytesPerSecond() / NANOS_PER_SECOND / loads[link]);
                }
                transfer.arrival = now + (long) Math.ceil(Math.max(0, transfer.bytesLeft) / transfer.bytesPerNano);
            }
        }
    }
}
