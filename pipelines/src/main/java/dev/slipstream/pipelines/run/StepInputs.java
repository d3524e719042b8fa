package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Stage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the denoiser takes that differs from step to step, beside its own tensors: the scaled latents and the time. */
final class StepInputs {
    private final Plan plan;
    private final LoopSpec loop;
    private final UnrollOptions options;
    private final HostValues host;
    private final List<Work> works;
    private final Map<String, Value> samples = new HashMap<>();
    private final Map<Value, Value> copiedTimesteps = new HashMap<>();
    private int step;

    /** @param works where the work goes that makes them */
    StepInputs(Plan plan, LoopSpec loop, UnrollOptions options, HostValues host, List<Work> works) {
        this.plan = plan;
        this.loop = loop;
        this.options = options;
        this.host = host;
        this.works = works;
    }

    /** Nothing is made for this step yet. */
    void begin(int newStep) {
        step = newStep;
        samples.clear();
        copiedTimesteps.clear();
    }

    /** The timestep that a stage takes now. */
    Value timestep(Stage stage) {
        TensorType type = loop.type(loop.ports().timestep(), stage.branch());
        int index = plan.cadence().timeIndex(step, stage.lead(), loop.noise().steps());
        Value given = host.timestep(loop.noise().rows().get(index).timestep(), type, stage.device());
        if (!options.copiedTimesteps()) {
            return given;
        }
        return copiedTimesteps.computeIfAbsent(given, key -> {
            Value copied = Value.made("t", step, stage.device(), type.bytes());
            works.add(new Work.Copy(stage.device(), step, given.all(), copied.all()));
            return copied;
        });
    }

    /**
     * The scaled latents, once for each row of the guidance batch, with the extra channels behind each.
     *
     * @param x the latents on the stage's device
     */
    Value sample(Stage stage, Value x) {
        TensorType type = loop.type(loop.ports().sample(), stage.branch());
        double scale = loop.noise().rows().get(step).inputScale();
        if (scale == 1 && type.bytes() == x.bytes()) {
            return x;
        }
        return samples.computeIfAbsent(stage.branch() + "@" + stage.device(), key -> {
            Value input = Value.made("in " + stage.branch(), step, stage.device(), type.bytes());
            fill(input, x, stage, type, (float) scale);
            return input;
        });
    }

    private void fill(Value input, Value x, Stage stage, TensorType type, float scale) {
        int device = stage.device();
        long extra = loop.extraBytes(stage.branch());
        long rows = extra == 0 ? type.bytes() / x.bytes() : type.shape().dim(0);
        long row = type.bytes() / rows;
        for (long index = 0; index < rows; index++) {
            long part = row - extra;
            works.add(new Work.Combine(device, step, input.part(index * row, part),
                List.of(x.part(index * part % x.bytes(), part)), List.of(scale)));
            if (extra > 0) {
                long batch = loop.latents().shape().dim(0);
                Value channels = host.given(Program.EXTRA_CHANNELS, device, 0, extra * batch);
                works.add(new Work.Combine(device, step, input.part(index * row + part, extra),
                    List.of(channels.part(index % batch * extra, extra)), List.of(1f)));
            }
        }
    }
}
