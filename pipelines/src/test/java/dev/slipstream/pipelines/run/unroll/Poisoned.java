package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Program.BufferSpec;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A program that does the same and fills every buffer with garbage just before it gets another value, on the stream
 * that writes this. So who still reads the old value there, or bytes that the new one does not have, reads garbage.
 */
public final class Poisoned {
    /** The name under which the host gives the garbage, {@link #bytes} of it. */
    public static final String GARBAGE = "garbage";

    private final Program program;
    private final Set<Integer> ofHost;
    /** Buffers whose bytes were read since they were last written. */
    private final Set<Integer> read = new HashSet<>();
    private final Set<Integer> used = new HashSet<>();
    private final List<Instruction> instructions = new ArrayList<>();

    private Poisoned(Program program) {
        this.program = program;
        this.ofHost = program.hostInputs().stream().map(input -> input.to().buffer()).collect(Collectors.toSet());
    }

    public static Program of(Program program) {
        return new Poisoned(program).poisoned();
    }

    /** Of garbage: as many as the largest buffer has. */
    public static long bytes(Program program) {
        return program.buffers().stream().mapToLong(BufferSpec::bytes).max().orElse(0);
    }

    private Program poisoned() {
        for (Instruction instruction : program.instructions()) {
            if (instruction instanceof Instruction.Launch launch) {
                launch.work().writes().stream().map(Region::buffer).distinct()
                    .filter(buffer -> !ofHost.contains(buffer) && (used.add(buffer) || read.contains(buffer)))
                    .forEach(buffer -> poison(launch, buffer));
                launch.work().reads().forEach(region -> read.add(region.buffer()));
            }
            instructions.add(instruction);
        }
        List<BufferSpec> buffers = new ArrayList<>(program.buffers());
        List<HostInput> inputs = new ArrayList<>(program.hostInputs());
        int devices = program.streams().stream().mapToInt(Program.StreamSpec::device).max().orElse(0) + 1;
        IntStream.range(0, devices).forEach(device -> {
            buffers.add(new BufferSpec(device, bytes(program)));
            inputs.add(new HostInput.Given(GARBAGE, 0, new Region(buffers.size() - 1, 0, bytes(program))));
        });
        return new Program(program.streams(), buffers, inputs, instructions, program.events(), program.stepEvents(),
            program.latents(), program.estimates(), program.decisions());
    }

    private void poison(Instruction.Launch launch, int buffer) {
        long bytes = program.buffers().get(buffer).bytes();
        int garbage = program.buffers().size() + program.streams().get(launch.stream()).device();
        instructions.add(new Instruction.Launch(launch.stream(), launch.step(),
            new Work.Copy<>(new Region(garbage, 0, bytes), new Region(buffer, 0, bytes)), launch.condition()));
        read.remove(buffer);
    }
}
