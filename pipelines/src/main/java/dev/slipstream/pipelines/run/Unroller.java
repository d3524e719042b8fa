package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Branch;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.Demand.StageRun;
import dev.slipstream.pipelines.run.Demand.Version;
import dev.slipstream.pipelines.run.Value.Access;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Turns a plan into a program, for one loop. It thinks in {@link Value}s; {@link Lowering} does the rest. */
public final class Unroller {
    private static final Set<DataType> GUARDED = Set.of(DataType.FLOAT32, DataType.FLOAT16, DataType.BFLOAT16);

    private final Plan plan;
    private final LoopSpec loop;
    private final Demand demand;
    private final HostValues host;
    private final UnrollOptions options;
    private final List<Work> works = new ArrayList<>();
    private final Map<Version, Map<Integer, Value>> versions = new HashMap<>();
    private final Map<Integer, Value> latents = new HashMap<>();
    private final StepInputs stepInputs;
    private final SchedulerSteps schedulerSteps;
    private final List<Value> results = new ArrayList<>();

    private Unroller(Plan plan, LoopSpec loop, UnrollOptions options) {
        this.plan = plan;
        this.loop = loop;
        this.options = options;
        this.demand = new Demand(plan, loop.noise().steps(), loop.guidance().weight());
        this.host = new HostValues(loop);
        this.stepInputs = new StepInputs(plan, loop, options, host, works);
        this.schedulerSteps = new SchedulerSteps(plan, loop, demand, host, works);
    }

    /** @param copyStreams whether copies between devices get a stream of their own on the device that they come from */
    public static Program unroll(Plan plan, LoopSpec loop, boolean copyStreams) {
        return unroll(plan, loop, new UnrollOptions(copyStreams, false, false));
    }

    public static Program unroll(Plan plan, LoopSpec loop, UnrollOptions options) {
        return new Unroller(plan, loop, options).unroll();
    }

    private Program unroll() {
        int steps = loop.noise().steps();
        latents.put(plan.home(), host.given(Program.LATENTS, plan.home(), 0, loop.latents().bytes()));
        for (int step = 0; step < steps; step++) {
            stepInputs.begin(step);
            spreadLatents(step);
            for (int stage = 0; stage < plan.stages().size(); stage++) {
                if (demand.isNeeded(stage, step)) {
                    run(new StageRun(stage, step));
                }
            }
            Value next = schedulerSteps.take(step, latents.get(plan.home()), this::predicted);
            latents.clear();
            latents.put(plan.home(), next);
            results.add(next);
        }
        List<Program.StreamSpec> streams = new ArrayList<>();
        for (int device = 0; device < plan.devices(); device++) {
            streams.add(new Program.StreamSpec(device, false));
        }
        for (int device = 0; options.copyStreams() && device < plan.devices(); device++) {
            streams.add(new Program.StreamSpec(device, true));
        }
        return new Lowering(streams, host, options.copiedTimesteps()).lower(works, results, schedulerSteps.estimates());
    }

    /** What a stage predicted, on the device where the noise scheduler's steps are taken. */
    private Value predicted(StageRun run, int step) {
        return on(new Version(run, plan.prediction()), plan.home(), step);
    }

    /** Sends the latents to the devices whose stages take them at this step. */
    private void spreadLatents(int step) {
        TreeSet<Integer> devices = new TreeSet<>();
        for (int stage = 0; stage < plan.stages().size(); stage++) {
            if (demand.isNeeded(stage, step) && plan.segment(stage).reads().contains(loop.ports().sample())) {
                devices.add(plan.stages().get(stage).device());
            }
        }
        devices.remove(plan.home());
        for (int device : devices) {
            latents.put(device, copy(latents.get(plan.home()), device, step, "x"));
        }
    }

    private void run(StageRun run) {
        Stage stage = plan.stages().get(run.stage());
        Map<String, Access> inputs = new LinkedHashMap<>();
        if (plan.segment(run.stage()).reads().contains(loop.ports().timestep())) {
            // First, as its copy would stand between work that can be replayed together.
            inputs.put(loop.ports().timestep(), stepInputs.timestep(stage).all());
        }
        for (Version source : demand.sources(run)) {
            inputs.put(source.tensor(), on(source, stage.device(), run.step()).all());
        }
        for (String tensor : plan.segment(run.stage()).reads()) {
            if (!inputs.containsKey(tensor)) {
                inputs.put(tensor, graphInput(tensor, stage));
            }
        }
        Map<String, Access> outputs = new LinkedHashMap<>();
        for (String tensor : plan.segment(run.stage()).writes()) {
            Version version = new Version(run, tensor);
            Value value = Value.made(plan.label(run.stage()) + "." + tensor, run.step(), stage.device(),
                loop.type(tensor, stage.branch()).bytes());
            outputs.put(tensor, value.all());
            versions.computeIfAbsent(version, key -> new HashMap<>()).put(stage.device(), value);
        }
        works.add(new Work.Run(stage.device(), run.step(), run.stage(), inputs, outputs));
        guard(run, stage);
        if (options.copyStreams()) {
            for (String tensor : plan.segment(run.stage()).writes()) {
                Version version = new Version(run, tensor);
                demand.readers(version).forEach(device -> on(version, device, run.step()));
            }
        }
    }

    /**
     * A version on a device; copied there if need be. With copy streams that is done as soon as it is made; without, by
     * the reader when it is wanted: by then a value that lags has long been ready, and nobody waits.
     */
    private Value on(Version version, int device, int step) {
        Map<Integer, Value> places = versions.get(version);
        Value made = places.get(plan.stages().get(version.run().stage()).device());
        return places.computeIfAbsent(device, key -> copy(made, device, step, made.role()));
    }

    private Access graphInput(String tensor, Stage stage) {
        TensorType type = loop.type(tensor, stage.branch());
        if (tensor.equals(loop.ports().sample())) {
            return stepInputs.sample(stage, latents.get(stage.device())).all();
        }
        boolean second = stage.branch() == Branch.CONDITIONAL && plan.stages().stream()
            .anyMatch(other -> other.branch() == Branch.UNCONDITIONAL);
        return host.given(tensor, stage.device(), second ? type.bytes() : 0, type.bytes()).all();
    }

    private void guard(StageRun run, Stage stage) {
        for (String tensor : plan.segment(run.stage()).writes()) {
            TensorType type = loop.type(tensor, stage.branch());
            if (options.guarded() && GUARDED.contains(type.type())) {
                Value value = versions.get(new Version(run, tensor)).get(stage.device());
                works.add(new Work.Guard(stage.device(), run.step(), run.stage(), tensor, type, value.all(),
                    host.mark(stage.device()).all()));
            }
        }
    }

    private Value copy(Value value, int device, int step, String role) {
        Value copied = Value.made(role, step, device, value.bytes());
        int stream = options.copyStreams() ? value.device() + plan.devices() : device;
        works.add(new Work.Copy(stream, step, value.all(), copied.all()));
        return copied;
    }
}
