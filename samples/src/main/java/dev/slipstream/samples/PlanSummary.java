package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.Blueprint;
import dev.slipstream.pipelines.diffusion.MemoryNeed;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.Program;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A plan in numbers: what {@code slipstream plan} prints, in whichever form. The names of the components are the keys
 * of its JSON.
 *
 * @param precision of the denoiser
 * @param copiedBytes from device to device, for a picture
 * @param refiner that of the model that takes the last steps, or null; what it takes is in {@code devices}, too
 */
record PlanSummary(String plan, String precision, int steps, boolean guided, List<SegmentEntry> segments,
    List<StageEntry> stages, List<EdgeEntry> edges, List<DeviceEntry> devices, long copiedBytes,
    PlanSummary refiner) {

    /** @param workShare part of all multiply-accumulates of one run of the denoiser, 0 to 1 */
    record SegmentEntry(String name, int nodes, long weightBytes, double workShare) {
    }

    record StageEntry(String name, int device) {
    }

    /** Indexes of stages; {@code bytes} go this way every step of the window. */
    record EdgeEntry(String tensor, int from, int to, int slip, long bytes) {
    }

    /** Estimates; {@code componentBytes} are the weights of the text encoder and the image decoder. */
    record DeviceEntry(String name, long weightBytes, long componentBytes, long bufferBytes, long workBytes) {
        private static DeviceEntry of(String name, MemoryNeed need) {
            return new DeviceEntry(name, need.weightBytes(), need.componentBytes(), need.bufferBytes(),
                need.workBytes());
        }
    }

    static PlanSummary of(Blueprint blueprint, Program program, List<MemoryNeed> memory, List<String> devices) {
        Plan plan = blueprint.plan();
        return new PlanSummary(plan.strategy(), blueprint.model().precision().toString(), program.steps(),
            blueprint.shape().guided(), segments(blueprint),
            IntStream.range(0, plan.stages().size())
                .mapToObj(stage -> new StageEntry(plan.label(stage), plan.stages().get(stage).device())).toList(),
            plan.edges().stream().map(edge -> edge(blueprint, edge)).toList(),
            IntStream.range(0, plan.devices()).mapToObj(device -> DeviceEntry.of(devices.get(device),
                memory.get(device))).toList(),
            program.copiedBytes(), null);
    }

    /** The same with a refiner's. */
    PlanSummary with(PlanSummary other) {
        return new PlanSummary(plan, precision, steps, guided, segments, stages, edges, devices, copiedBytes, other);
    }

    private static List<SegmentEntry> segments(Blueprint blueprint) {
        Plan plan = blueprint.plan();
        int[] stages = IntStream.range(0, plan.segments().size()).map(segment ->
            plan.stages().stream().map(Stage::segment).toList().indexOf(segment)).toArray();
        double all = IntStream.of(stages).mapToDouble(blueprint::multiplyAccumulates).sum();
        return IntStream.of(stages).mapToObj(stage -> new SegmentEntry(plan.segment(stage).name(),
            blueprint.segment(stage).graph().nodes().size(), blueprint.segmentWeightBytes(stage),
            all == 0 ? 0 : blueprint.multiplyAccumulates(stage) / all)).toList();
    }

    private static EdgeEntry edge(Blueprint blueprint, Edge edge) {
        return new EdgeEntry(edge.tensor(), edge.from(), edge.to(), edge.slip(),
            blueprint.types(edge.from()).get(edge.tensor()).bytes());
    }

    /** Whether the denoiser computes in less than fp32. */
    boolean isNarrow() {
        return !precision.equals(Precision.FP32.toString());
    }

    /** The edges, those between the same stages with the same slip as one. */
    List<EdgeBundle> bundles() {
        return EdgeBundle.of(edges);
    }
}
