package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the denoiser takes that differs from step to step, beside its own tensors: the scaled latents and the time. */
final class StepInputs {
    private final Plan plan;
    private final LoopSpec loop;
    private final LiveRuns live;
    private final HostValues host;
    private final TaskList tasks;
    private final boolean copiedTimesteps;
    private final Bands bands;
    private final Map<String, Value> sent = new HashMap<>();
    private final Map<String, Value> samples = new HashMap<>();
    private final Map<Value, Value> timesteps = new HashMap<>();
    private int step;
    private Banded latents;

    /**
     * @param tasks where the work goes that makes them
     * @param copiedTimesteps see {@link UnrollOptions}
     */
    StepInputs(Plan plan, LoopSpec loop, LiveRuns live, Bands bands, HostValues host, TaskList tasks,
        boolean copiedTimesteps) {
        this.plan = plan;
        this.loop = loop;
        this.live = live;
        this.bands = bands;
        this.host = host;
        this.tasks = tasks;
        this.copiedTimesteps = copiedTimesteps;
    }

    /**
     * Begins a step: sends whole latents to the devices whose stages take them. A band is sent when it is first read.
     *
     * @param x the latents before the step, on the plan's home device
     */
    void begin(int newStep, Banded x) {
        step = newStep;
        latents = x;
        samples.clear();
        timesteps.clear();
        sent.clear();
        if (bands.areApart(step)) {
            // All at once, lest they wait for what is predicted of the first.
            IntStream.range(0, bands.count()).forEach(band -> x.in(band, step));
        } else {
            live.at(step).stream().map(LiveRuns.StageRun::stage)
                .filter(stage -> plan.segment(stage).reads().contains(loop.ports().sample()))
                .map(stage -> plan.stages().get(stage).device()).sorted()
                .forEach(device -> latents(device, Bands.WHOLE));
        }
    }

    private Value latents(int device, int band) {
        Value x = latents.in(band, step);
        return device == plan.home() ? x : sent.computeIfAbsent(Bands.role("x", band) + " on " + device,
            key -> tasks.copy(x, device, step, Bands.role("x", band)));
    }

    /** The timestep that a stage takes now. */
    Value timestep(Stage stage) {
        TensorType type = loop.type(loop.ports().timestep(), stage.branch());
        int index = plan.segments().get(stage.segment()).component() < 0 ? step
            : plan.cadence().timeIndex(step, stage.lead(), loop.noise().steps());
        Value given = host.timestep(loop.noise().rows().get(index).timestep(), type, stage.device());
        return copiedTimesteps ? timesteps.computeIfAbsent(given, key -> copyBeside(given)) : given;
    }

    /** A copy on the same device, made on the stream that computes there. */
    private Value copyBeside(Value given) {
        Value copied = Value.made("t", given.device(), given.bytes());
        tasks.add(given.device(), step, new Work.Copy<>(given.all(), copied.all()));
        return copied;
    }

    /**
     * The scaled latents, once for each row of the guidance batch, with the extra channels behind each.
     *
     * @param band its number, or {@link Bands#WHOLE}
     */
    Value sample(Stage stage, int band) {
        Value x = latents(stage.device(), band);
        TensorType type = loop.type(band == Bands.WHOLE ? loop.ports().sample() : bands.band(band).sample(),
            stage.branch());
        double scale = loop.noise().rows().get(step).inputScale();
        if (scale == 1 && type.bytes() == x.bytes()) {
            return x;
        }
        return samples.computeIfAbsent(Bands.role(stage.branch() + " on " + stage.device(), band), key -> {
            Value input = Value.made(Bands.role("in " + stage.branch(), band), stage.device(), type.bytes());
            fill(input, x, stage, type, (float) scale);
            return input;
        });
    }

    private void fill(Value input, Value x, Stage stage, TensorType type, float scale) {
        int device = stage.device();
        long extra = loop.extraBytes(stage.branch());
        long rows = extra == 0 ? type.bytes() / x.bytes() : type.shape().dim(0);
        long row = type.bytes() / rows;
        long part = row - extra;
        for (long index = 0; index < rows; index++) {
            tasks.add(device, step, new Work.Combine<>(input.part(index * row, part),
                List.of(x.part(index * part % x.bytes(), part)), List.of(scale)));
            if (extra > 0) {
                long batch = loop.latents().shape().dim(0);
                Value channels = host.given(Program.EXTRA_CHANNELS, device, 0, extra * batch);
                tasks.add(device, step, new Work.Combine<>(input.part(index * row + part, extra),
                    List.of(channels.part(index % batch * extra, extra)), List.of(1f)));
            }
        }
    }
}
