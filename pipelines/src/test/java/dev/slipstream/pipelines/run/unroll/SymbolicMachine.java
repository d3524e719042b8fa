package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Runs a program on formulas instead of numbers: each buffer holds the expression that its bytes stand for. Streams
 * take turns at random, held only by their waits and by what the host has not queued yet as it waits for a number, so a
 * missing wait or a buffer used again too early shows as a wrong formula for some seed.
 */
public final class SymbolicMachine {
    /** What so many bytes stand for. */
    private record Cell(String formula, long bytes) {
    }

    private final Program program;
    private final Plan plan;
    private final int longest;
    private final Outcomes outcomes;
    private final Map<Integer, String> reported = new HashMap<>();
    /** The step at which each outcome was the last. */
    private final Map<Condition, Integer> decisions = new HashMap<>();
    private final Map<Integer, String> measures = new TreeMap<>();
    private final Map<Integer, TreeMap<Long, Cell>> memory = new HashMap<>();
    private final Map<Integer, String> estimates = new TreeMap<>();

    public SymbolicMachine(Program program, Plan plan) {
        this(program, plan, Integer.MAX_VALUE);
    }

    /** @param longest formula that is kept as it is; longer ones get names */
    public SymbolicMachine(Program program, Plan plan, int longest) {
        this(program, plan, longest, (decision, step) -> true);
    }

    /** @param outcomes what is decided */
    public SymbolicMachine(Program program, Plan plan, int longest, Outcomes outcomes) {
        this.program = program;
        this.plan = plan;
        this.longest = longest;
        this.outcomes = outcomes;
    }

    /** What is decided in place of numbers, which there are none. */
    public interface Outcomes {
        boolean decide(int decision, int step);
    }

    /** The formula of the latents after each step; read when the step's event is reached. */
    public List<String> run(long seed) {
        for (HostInput input : program.hostInputs()) {
            write(input.to(), switch (input) {
                case HostInput.Given given -> given.tensor().equals(Program.LATENTS) ? "x0"
                    : given.tensor() + (given.from() == 0 ? "" : "+" + given.from() / given.to().bytes());
                case HostInput.Mark mark -> "mark";
                case HostInput.Zeros zeros -> "0";
                case HostInput.Timestep time -> Integer.toString((int) time.value());
            });
        }
        List<Deque<Instruction>> queues = new ArrayList<>();
        program.streams().forEach(stream -> queues.add(new ArrayDeque<>()));
        Deque<Instruction> host = new ArrayDeque<>(program.instructions());
        boolean[] events = new boolean[program.events()];
        String[] latents = new String[program.steps()];
        Random random = new Random(seed);
        queue(host, queues, events);
        while (queues.stream().anyMatch(queue -> !queue.isEmpty())) {
            List<Deque<Instruction>> ready = queues.stream().filter(queue -> !queue.isEmpty()
                && !(queue.peek() instanceof Instruction.Wait wait && !events[wait.event()])).toList();
            if (ready.isEmpty()) {
                throw new AssertionError("streams wait for each other: " + queues);
            }
            Instruction instruction = ready.get(random.nextInt(ready.size())).poll();
            if (instruction instanceof Instruction.Record record) {
                events[record.event()] = true;
                int step = program.stepEvents().indexOf(record.event());
                if (step >= 0) {
                    latents[step] = read(program.latents().get(step));
                    if (program.estimates().containsKey(step)) {
                        estimates.put(step, read(program.estimates().get(step)));
                    }
                }
            } else if (instruction instanceof Instruction.Launch launch) {
                execute(launch.work());
            }
            queue(host, queues, events);
        }
        if (!host.isEmpty()) {
            throw new AssertionError("the host waits for what never comes: " + host.peek());
        }
        program.estimates().forEach((step, region) -> {
            if (!estimates.get(step).equals(read(region))) {
                throw new AssertionError("the estimate of step " + step + " was " + estimates.get(step)
                    + " when its event came, and is " + read(region) + " in the end");
            }
        });
        return List.of(latents);
    }

    /** Queues as much as the host can without waiting. */
    private void queue(Deque<Instruction> host, List<Deque<Instruction>> queues, boolean[] events) {
        while (!host.isEmpty() && !(host.peek() instanceof Instruction.Decide wait && !events[wait.event()])) {
            switch (host.poll()) {
                case Instruction.Decide decide -> {
                    measures.put(decide.step(), decide.scalars().stream()
                        .map(scalar -> reported.getOrDefault(scalar, "nothing")).collect(Collectors.joining("; ")));
                    decisions.put(new Condition(decide.decision(), outcomes.decide(decide.decision(), decide.step())),
                        decide.step());
                }
                case Instruction.Launch launch when !runs(launch) -> { /* left out */ }
                case Instruction instruction -> queues.get(instruction.stream()).add(instruction);
            }
        }
    }

    private boolean runs(Instruction.Launch launch) {
        return launch.condition().isEmpty()
            || Integer.valueOf(launch.step()).equals(decisions.get(launch.condition().get()));
    }

    /** The formula of each estimate, read when the event of its step is reached, and found the same in the end. */
    public Map<Integer, String> estimates() {
        return estimates;
    }

    /** By step, what was decided by. */
    Map<Integer, String> measures() {
        return measures;
    }

    private void execute(Work<Region> work) {
        switch (work) {
            case Work.Copy<Region> copy -> write(copy.to(), read(copy.from()));
            case Work.Combine<Region> combine -> write(combine.to(), combination(combine));
            case Work.Rescale<Region> rescale -> {
                write(rescale.space(), "garbage");
                write(rescale.to(), "rescaled(" + read(rescale.guided()) + "," + read(rescale.text()) + ")");
            }
            case Work.Limiting<Region> limit -> write(limit.to(), "limited(" + read(limit.from()) + ")");
            case Work.Run<Region> run -> {
                String time = null;
                List<String> arguments = new ArrayList<>();
                SegmentOutline segment = plan.segment(run.stage());
                for (String tensor : segment.reads()) {
                    String value = read(run.inputs().get(segment.port(tensor)));
                    if (tensor.equals("t")) {
                        time = value;
                    } else {
                        arguments.add(value);
                    }
                }
                String formula = segment.name() + "[" + time + "](" + String.join(",", arguments) + ")";
                segment.writes().forEach(tensor -> write(run.outputs().get(tensor),
                    formula + (tensor.equals(segment.writes().getFirst()) ? "" : "." + tensor)));
            }
            case Work.Compare<Region> compare -> {
                write(compare.space(), "garbage");
                write(compare.to(), "change(" + read(compare.now()) + "," + read(compare.then()) + ")");
            }
            case Work.Report<Region> report -> reported.put(report.scalar(), read(report.from()));
            case Work.FiniteCheck<Region> check -> read(check.value());
        }
    }

    /** A step of the test's noise scheduler keeps only the prediction (weight 0 for the latents). */
    private String combination(Work.Combine<Region> combine) {
        List<String> terms = new ArrayList<>();
        for (int i = 0; i < combine.from().size(); i++) {
            String value = read(combine.from().get(i));
            float weight = combine.weights().get(i);
            if (weight != 0) {
                terms.add(weight == 1 ? value : weight + "*" + value);
            }
        }
        return terms.size() == 1 ? terms.getFirst() : "{" + String.join("+", terms) + "}";
    }

    /** Parts that lie behind each other are joined; a part of a larger value has its number behind it. */
    private String read(Region region) {
        TreeMap<Long, Cell> cells = memory.getOrDefault(region.buffer(), new TreeMap<>());
        long end = region.offset() + region.bytes();
        Map.Entry<Long, Cell> first = cells.floorEntry(region.offset());
        if (first == null || first.getKey() + first.getValue().bytes() <= region.offset()) {
            return "garbage";
        }
        if (first.getKey() + first.getValue().bytes() > end || first.getKey() < region.offset()) {
            return first.getValue().formula() + "[" + (region.offset() - first.getKey()) / region.bytes() + "]";
        }
        List<String> parts = new ArrayList<>();
        long known = region.offset();
        for (Map.Entry<Long, Cell> cell : cells.subMap(region.offset(), end).entrySet()) {
            if (cell.getKey() > known) {
                return "garbage";
            }
            parts.add(cell.getValue().formula());
            known = cell.getKey() + cell.getValue().bytes();
        }
        return known < end ? "garbage" : String.join("|", parts);
    }

    /** What is left of values that lay there before are parts of them. */
    private void write(Region region, String value) {
        TreeMap<Long, Cell> cells = memory.computeIfAbsent(region.buffer(), key -> new TreeMap<>());
        long end = region.offset() + region.bytes();
        Map.Entry<Long, Cell> last = cells.lowerEntry(end);
        if (last != null && last.getKey() + last.getValue().bytes() > end) {
            cells.put(end, new Cell(last.getValue().formula() + "[..]", last.getKey() + last.getValue().bytes() - end));
        }
        Map.Entry<Long, Cell> first = cells.lowerEntry(region.offset());
        if (first != null && first.getKey() + first.getValue().bytes() > region.offset()) {
            cells.put(first.getKey(), new Cell(first.getValue().formula() + "[..]", region.offset() - first.getKey()));
        }
        cells.subMap(region.offset(), end).clear();
        cells.put(region.offset(), new Cell(value.length() > longest ? digest(value) : value, region.bytes()));
    }

    /** Formulas of guided loops grow fourfold a step; a long one gets a name, which still says if it has garbage. */
    private static String digest(String formula) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(formula.getBytes(StandardCharsets.UTF_8));
            return (formula.contains("garbage") ? "garbage" : "") + "#" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
