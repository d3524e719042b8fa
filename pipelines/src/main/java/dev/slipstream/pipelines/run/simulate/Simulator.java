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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;

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
    private long now;

    private Simulator(Program program, Machine machine, Predicate<Instruction.Launch> runs) {
        this.program = program;
        this.machine = machine;
        this.runs = runs;
        this.host = new Host();
        this.queues = IntStream.range(0, program.streams().size()).mapToObj(Queue::new).toList();
        this.recording =
            new Recording(program, machine.devices().stream().map(Machine.Device::name).toList(), List.of());
        this.passed = new boolean[program.events()];
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
                moved |= queue.advance();
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
        private int queued;
        private int done;
        private long since = NONE;
        private long until = NEVER;
        private Traffic.Transfer transfer;

        Queue(int stream) {
            this.instructions = IntStream.range(0, program.instructions().size())
                .filter(index -> program.instructions().get(index).stream() == stream).toArray();
        }

        void push() {
            queued++;
        }

        /** Ends what is over, and begins what comes next. @return whether there was anything */
        boolean advance() {
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
                transfer = traffic.begin(machine.interconnect().route(program.device(from), program.device(to)),
                    from.bytes());
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
    private static final class Traffic {
        /** One copy. It arrives never as long as it has not left. */
        private static final class Transfer {
            private final List<Link> links;
            private final long departure;
            private double bytesLeft;
            private double bytesPerNano;
            private long arrival = NEVER;

            Transfer(List<Link> links, long bytes, long departure) {
                this.links = links;
                this.bytesLeft = bytes;
                this.departure = departure;
            }
        }

        private final List<Transfer> waiting = new ArrayList<>();
        private final List<Transfer> moving = new ArrayList<>();
        private long now;

        Transfer begin(Route route, long bytes) {
            Transfer transfer = new Transfer(route.links(), bytes, now + route.latencyNanos());
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
            List<Transfer> leaving = waiting.stream().filter(transfer -> transfer.departure <= now).toList();
            waiting.removeAll(leaving);
            if (moving.removeIf(this::isDone) | moving.addAll(leaving)) {
                share();
            }
        }

        /** Gives each copy its share of the links on its way. */
        private void share() {
            Map<Link, Integer> loads = new HashMap<>();
            moving.forEach(transfer -> transfer.links.forEach(link -> loads.merge(link, 1, Integer::sum)));
            for (Transfer transfer : moving) {
                transfer.bytesPerNano = transfer.links.stream()
                    .mapToDouble(link -> link.bytesPerSecond() / NANOS_PER_SECOND / loads.get(link)).min()
                    .orElse(Double.POSITIVE_INFINITY);
                transfer.arrival = now + (long) Math.ceil(Math.max(0, transfer.bytesLeft) / transfer.bytesPerNano);
            }
        }
    }
}
