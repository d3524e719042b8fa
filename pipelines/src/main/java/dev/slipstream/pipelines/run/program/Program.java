package dev.slipstream.pipelines.run.program;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * An unrolled plan: what each stream does, in order. What is left to decide while it runs is which of two bodies is
 * launched; both are here.
 *
 * @param streams the streams; several may belong to one device
 * @param buffers what to allocate
 * @param hostInputs what the host writes before the loop
 * @param instructions all streams' instructions in one order in which they can be queued: every {@code Record} comes
 *     before the {@code Wait}s for it, steps ascend
 * @param events number of events
 * @param stepEvents per step, the event after which its latents are there
 * @param latents per step, where the latents after it lie; valid until the program runs on, except for the last step
 *     and where the loop keeps all
 * @param estimates for the steps that the loop asks for, in order, where the clean image lies that the step expects;
 *     it is there with the step's latents, and valid until the next run
 * @param decisions what is decided while it runs
 */
public record Program(List<StreamSpec> streams, List<BufferSpec> buffers, List<HostInput> hostInputs,
    List<Instruction> instructions, int events, List<Integer> stepEvents, List<Region> latents,
    Map<Integer, Region> estimates, List<Decision> decisions) {

    /** Name under which the host gives the first latents. */
    public static final String LATENTS = "latents";
    /** Name under which the host gives noise, one tensor like the latents a step. */
    public static final String NOISE = "noise";
    /** Name under which the host gives the clean latents of what is known of the picture, 0 elsewhere. */
    public static final String KNOWN_IMAGE = "known_image";
    /** Name under which the host gives the noise over what is known of the picture, 0 elsewhere. */
    public static final String KNOWN_NOISE = "known_noise";
    /** Name under which the host gives the channels that the denoiser takes beside the latents. */
    public static final String EXTRA_CHANNELS = "extra_channels";

    /** A queue on a device; copies between devices may have one of their own. */
    public record StreamSpec(int device, boolean copies) {
    }

    public record BufferSpec(int device, long bytes) {
    }

    public Program {
        streams = List.copyOf(streams);
        buffers = List.copyOf(buffers);
        hostInputs = List.copyOf(hostInputs);
        instructions = List.copyOf(instructions);
        stepEvents = List.copyOf(stepEvents);
        latents = List.copyOf(latents);
        estimates = Collections.unmodifiableMap(new TreeMap<>(estimates));
        decisions = List.copyOf(decisions);
    }

    /** A program in which nothing is decided. */
    public Program(List<StreamSpec> streams, List<BufferSpec> buffers, List<HostInput> hostInputs,
        List<Instruction> instructions, int events, List<Integer> stepEvents, List<Region> latents,
        Map<Integer, Region> estimates) {
        this(streams, buffers, hostInputs, instructions, events, stepEvents, latents, estimates, List.of());
    }

    public int steps() {
        return stepEvents.size();
    }

    /** Bytes of all buffers on a device. */
    public long bufferBytes(int device) {
        return buffers.stream().filter(buffer -> buffer.device() == device).mapToLong(BufferSpec::bytes).sum();
    }

    /** The device that a region lies on. */
    public int device(Region region) {
        return buffers.get(region.buffer()).device();
    }

    /** Bytes of each tensor that the host gives, by its name. */
    public Map<String, Long> givenBytes() {
        Map<String, Long> bytes = new TreeMap<>();
        for (HostInput input : hostInputs) {
            if (input instanceof HostInput.Given given) {
                bytes.merge(given.tensor(), given.from() + given.to().bytes(), Math::max);
            }
        }
        return bytes;
    }

    /** Everything that is launched, in order. */
    public Stream<Work<Region>> works() {
        return instructions.stream().filter(Instruction.Launch.class::isInstance)
            .map(instruction -> ((Instruction.Launch) instruction).work());
    }

    /** How often engines are run, whatever is decided. */
    public long engineRuns() {
        return works().filter(Work.Run.class::isInstance).count();
    }

    /** Whether something is launched if all is decided as the rules expect. */
    public boolean isExpected(Instruction.Launch launch) {
        return launch.condition().isEmpty() || launch.condition().get().outcome()
            == decisions.get(launch.condition().get().decision()).rule().expects(launch.step());
    }

    /** Bytes that are expected to go from one device to another during the loop. */
    public long copiedBytes() {
        return copiedBytes(this::isExpected);
    }

    /** Bytes that go from one device to another. @param launched what is, in a run */
    public long copiedBytes(Predicate<Instruction.Launch> launched) {
        return instructions.stream().filter(instruction -> instruction instanceof Instruction.Launch launch
            && isBetweenDevices(launch.work()) && launched.test(launch))
            .mapToLong(instruction -> ((Instruction.Launch) instruction).work().reads().getFirst().bytes()).sum();
    }

    /** Bytes that come to a device from others in a step, in the one in which there are most. */
    public long receivedBytes(int device) {
        long[] bytes = new long[steps()];
        for (Instruction instruction : instructions) {
            if (instruction instanceof Instruction.Launch launch && isExpected(launch)
                && isBetweenDevices(launch.work()) && device(((Work.Copy<Region>) launch.work()).to()) == device) {
                bytes[launch.step()] += ((Work.Copy<Region>) launch.work()).to().bytes();
            }
        }
        return Arrays.stream(bytes).max().orElse(0);
    }

    /** Whether a work brings bytes to another device. */
    public boolean isBetweenDevices(Work<Region> work) {
        return work instanceof Work.Copy<Region>(Region from, Region to) && device(from) != device(to);
    }

    /** For each step, how many instructions there are up to its end. */
    public int[] stepEnds() {
        int[] ends = new int[steps()];
        for (int i = 0; i < instructions.size(); i++) {
            ends[instructions.get(i).step()] = i + 1;
        }
        return ends;
    }

    /**
     * Checks that every wait, every decision and every step's end comes after the record that it is for. To a device
     * an event that was not recorded counts as passed, so otherwise a stream would compute with what happens to lie
     * there.
     *
     * @throws IllegalArgumentException naming the first wait that comes too early
     */
    public void requireRecordsBeforeWaits() {
        Set<Integer> recorded = new HashSet<>();
        for (Instruction instruction : instructions) {
            if (instruction instanceof Instruction.Record record) {
                recorded.add(record.event());
            }
            if (instruction instanceof Instruction.Wait wait && !recorded.contains(wait.event())) {
                throw new IllegalArgumentException("the program cannot run: stream " + wait.stream() + " waits in step "
                    + (wait.step() + 1) + " for event " + wait.event() + ", which is not recorded before");
            }
            if (instruction instanceof Instruction.Decide decide && !recorded.contains(decide.event())) {
                throw new IllegalArgumentException("the program cannot run: the host decides in step "
                    + (decide.step() + 1) + " behind event " + decide.event() + ", which is not recorded before");
            }
        }
        for (int step = 0; step < steps(); step++) {
            if (!recorded.contains(stepEvents.get(step))) {
                throw new IllegalArgumentException("the program cannot run: the event of step " + (step + 1)
                    + " is event " + stepEvents.get(step) + ", which is never recorded");
            }
        }
    }
}
