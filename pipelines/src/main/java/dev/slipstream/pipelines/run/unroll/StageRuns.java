package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Rows;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Source;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Term;
import dev.slipstream.pipelines.run.unroll.LiveRuns.Version;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The stages' part of each step: their runs, and the copies of what they make on the devices where it is read. */
final class StageRuns {
    private static final Set<DataType> CHECKED = Set.of(DataType.FLOAT32, DataType.FLOAT16, DataType.BFLOAT16);

    private record Combination(List<Source> sources, int device, int step) {
    }

    private final Plan plan;
    private final LoopSpec loop;
    private final LiveRuns live;
    private final Bands bands;
    private final HostValues host;
    private final StepInputs inputs;
    private final TaskList tasks;
    private final UnrollOptions options;
    private final DecidedRuns decided;
    private final Map<Version, Map<Integer, Value>> versions = new HashMap<>();
    private final Map<Version, Map<Integer, Value>> handedOver = new HashMap<>();
    private final Map<Combination, Value> combinations = new HashMap<>();
    private final long mostZeros;
    private int checks;

    /** @param tasks where the work goes */
    StageRuns(Plan plan, LoopSpec loop, LiveRuns live, Bands bands, HostValues host, StepInputs inputs, TaskList tasks,
        DecidedRuns decided, UnrollOptions options) {
        this.plan = plan;
        this.loop = loop;
        this.live = live;
        this.bands = bands;
        this.host = host;
        this.inputs = inputs;
        this.tasks = tasks;
        this.options = options;
        this.decided = decided;
        this.mostZeros = plan.stages().stream()
            .filter(stage -> loop.rests().ever(plan.segments().get(stage.segment()).component()))
            .flatMapToLong(stage -> plan.segments().get(stage.segment()).writes().stream()
                .mapToLong(tensor -> loop.type(tensor, stage.branch()).bytes())).max().orElse(0);
    }

    void add(StageRun run) {
        Stage stage = plan.stages().get(run.stage());
        Map<String, Access> outputs = new LinkedHashMap<>();
        Map<String, Access> taken = inputs(run, stage);
        for (String tensor : writes(run)) {
            Value value = Value.made(plan.label(run.stage()) + "." + tensor, stage.device(),
                loop.type(tensor, stage.branch()).bytes());
            outputs.put(tensor, value.all());
            versions.put(new Version(run, tensor), new HashMap<>(Map.of(stage.device(), value)));
        }
        Map<String, Access> ports = new LinkedHashMap<>();
        taken.forEach((tensor, value) -> ports.put(plan.segment(run.stage()).port(tensor), value));
        Optional<Condition> condition = decided.condition(run);
        tasks.add(stage.device(), run.step(), new Work.Run<>(run.stage(), ports, outputs), condition);
        if (options.finiteChecks()) {
            outputs.forEach((tensor, value) -> check(run, stage, tensor, value, condition));
        }
        outputs.keySet().forEach(tensor -> decided.measure(run, stage, tensor,
            device -> on(new Version(run, tensor), device, run.step())));
        decided.follow(run, taken, outputs);
        if (options.copyStreams()) {
            for (String tensor : writes(run)) {
                Version version = new Version(run, tensor);
                live.readers(version).forEach(device -> on(version, device, run.step()));
            }
        }
    }

    private List<String> writes(StageRun run) {
        return plan.segment(run.stage()).writes();
    }

    private Map<String, Access> inputs(StageRun run, Stage stage) {
        List<String> reads = plan.segment(run.stage()).reads();
        Map<String, Access> taken = new LinkedHashMap<>();
        if (reads.contains(loop.ports().timestep())) {
            // First, as its copy would stand between work that can be captured together.
            taken.put(loop.ports().timestep(), inputs.timestep(stage).all());
        }
        reads.stream().filter(live::isMade).forEach(tensor -> {
            int band = bands.areApart(run.step()) ? bands.ofSample(tensor) : Bands.WHOLE;
            taken.put(tensor, band == Bands.WHOLE ? read(run, tensor, stage) : inputs.sample(stage, band).all());
        });
        reads.forEach(tensor -> {
            if (!taken.containsKey(tensor)) {
                taken.put(tensor, graphInput(tensor, stage, plan.whole(run.stage()).isPresent()).all());
            }
        });
        return taken;
    }

    private Access read(StageRun run, String tensor, Stage stage) {
        List<Source> sources = live.sources(run, tensor);
        if (sources.isEmpty()) {
            return host.zeros(stage.device(), mostZeros).part(0, loop.type(tensor, stage.branch()).bytes());
        }
        Optional<Access> there = inPlace(sources, stage, run.step());
        if (there.isPresent()) {
            return there.get();
        }
        List<Access> values = values(sources, stage.device(), run.step());
        if (sources.size() > 1) {
            return combined(sources, values, run, tensor, stage);
        }
        Access value = values.getFirst();
        return isAligned(value) ? value : copied(value, run.step());
    }

    /**
     * What is read where it was made, on whichever device that was; empty where it must be copied or made. What takes
     * part in a decision is combined with other values, which are on the stage's own device.
     */
    private Optional<Access> inPlace(List<Source> sources, Stage stage, int step) {
        Source first = sources.getFirst();
        boolean isMade = sources.size() == 1 && live.continued(first.version()).isEmpty()
            && !live.isHandedOver(first.version(), step);
        if (!options.readsInPlace() || !isMade || stage.rounds() instanceof Rounds.Decided) {
            return Optional.empty();
        }
        return Optional.of(rows(made(first.version()), first.rows())).filter(StageRuns::isAligned);
    }

    private static boolean isAligned(Access access) {
        return access.offset() % HostValues.ALIGNMENT == 0;
    }

    private List<Access> values(List<Source> sources, int device, int step) {
        return sources.stream().map(source -> rows(on(source.version(), device, step), source.rows())).toList();
    }

    /** Stages of a device that read the same values in the same way at a step share what is made of them. */
    private Access combined(List<Source> sources, List<Access> values, StageRun run, String tensor, Stage stage) {
        return combinations.computeIfAbsent(new Combination(sources, stage.device(), run.step()), key ->
            sum(sources, values, tensor, run.stage(), stage.device(), run.step())).all();
    }

    /** @param stage whose rows it has */
    private Value sum(List<Source> sources, List<Access> values, String tensor, int stage, int device, int step) {
        TensorType type = loop.type(tensor, plan.stages().get(stage).branch());
        if (type.type() != DataType.FLOAT32) {
            throw new PlanException("plan " + plan.strategy() + " continues values between its segments in "
                + "float32, but " + tensor + " is " + type.type() + "; take fp32, or a plan that replaces them");
        }
        Value value = Value.made("of " + plan.label(stage) + "." + tensor, device, type.bytes());
        tasks.add(device, step, new Work.Combine<>(value.all(), values,
            sources.stream().map(source -> (float) source.weight()).toList()));
        return value;
    }

    /**
     * Lets later steps find what was made at one of which it is decided whether it lies in the window: two stages may
     * have made it, maybe on two devices. Where the value of one is at hand, that of the other comes in its place.
     */
    void handOver(int step) {
        live.handedOver(step).forEach((version, devices) -> {
            Branch branch = plan.stages().get(version.run().stage()).branch();
            Version outside = new Version(new StageRun(plan.writer(version.tensor(), branch), step), version.tensor());
            List<Version> both = List.of(outside, version);
            devices.forEach(device -> {
                Value there = both.stream().map(this::made).filter(value -> value.device() == device).findFirst()
                    .orElseGet(() -> Value.made(made(version).role(), device, made(version).bytes()));
                both.stream().filter(it -> made(it) != there)
                    .forEach(it -> tasks.copy(made(it), there, step, decided.ofWindow(it.run())));
                handedOver.computeIfAbsent(version, key -> new HashMap<>()).put(device, there);
            });
        });
    }

    /** At a place of its own, as engines take no tensor that lies anywhere. */
    private Access copied(Access rows, int step) {
        int device = rows.value().device();
        Value value = Value.made(rows.value().role() + " rows", device, rows.bytes());
        tasks.add(device, step, new Work.Copy<>(rows, value.all()));
        return value.all();
    }

    /** Rows of a value: the guidance batch has the conditional ones behind the others. */
    static Access rows(Value value, Rows rows) {
        long half = value.bytes() / 2;
        return switch (rows) {
            case ALL, MEAN -> value.all();
            case FIRST_HALF -> value.part(0, half);
            case SECOND_HALF -> value.part(half, half);
        };
    }

    /** @param alone whether the stage computes rows that another one computes with all */
    private Value graphInput(String tensor, Stage stage, boolean alone) {
        if (tensor.equals(loop.ports().sample())) {
            return inputs.sample(stage, Bands.WHOLE);
        }
        TensorType type = loop.type(tensor, stage.branch());
        boolean second = stage.branch() == Branch.CONDITIONAL && plan.isGuided()
            && !(alone && plan.guidance().untold());
        return host.given(tensor, stage.device(), second ? type.bytes() : 0, type.bytes());
    }

    private void check(StageRun run, Stage stage, String tensor, Access value, Optional<Condition> condition) {
        TensorType type = loop.type(tensor, stage.branch());
        if (CHECKED.contains(type.type())) {
            tasks.add(stage.device(), run.step(), new Work.FiniteCheck<>(run.stage(), tensor, type, value,
                host.mark(stage.device()).all(), checks++), condition);
        }
    }

    /**
     * What a term of a prediction is, on the device where the noise scheduler's steps are taken.
     *
     * @param band its number, or {@link Bands#WHOLE}
     */
    Access predicted(Term term, int step, int band) {
        if (bands.isAssembly(term.run().stage()) && bands.areApart(term.run().step())) {
            return band == Bands.WHOLE ? joined(term, step) : ofBand(term, step, band);
        }
        Access whole = rows(on(term.version(), plan.home(), step), term.rows());
        return band == Bands.WHOLE ? whole : bands.part(whole, band, step).all();
    }

    private Access ofBand(Term term, int step, int band) {
        Source source = predictor(term.run(), band);
        return rows(on(source.version(), plan.home(), step), source.rows() == Rows.ALL ? term.rows() : source.rows());
    }

    /** Of a step at which bands went one by one, for one at which they do not. */
    private Access joined(Term term, int step) {
        Value whole = Value.made("predicted", plan.home(), loop.latents().bytes());
        bands.join(IntStream.range(0, bands.count()).mapToObj(band -> ofBand(term, step, band)).toList(), whole, step);
        return whole.all();
    }

    /** The runs of this step that make the prediction of a band. */
    Set<StageRun> predictors(int step, int band) {
        return live.prediction(step).stream().map(Term::run)
            .filter(run -> run.step() == step && bands.isAssembly(run.stage()))
            .map(run -> predictor(run, band).version().run()).collect(Collectors.toSet());
    }

    /**
     * What a band's own stage predicted, or the one for all rows in its place.
     *
     * @param assembly puts it into the prediction
     */
    private Source predictor(StageRun assembly, int band) {
        return live.sources(assembly, bands.band(band).prediction()).getFirst();
    }

    /**
     * A version on a device; copied there if need be. With copy streams that is done as soon as it is made; without, by
     * the reader when it is wanted: by then a value that lags has long been ready, and no stream waits. One that no
     * stage makes is continued there.
     */
    private Value on(Version version, int device, int step) {
        if (live.isHandedOver(version, step)) {
            return handedOver.get(version).get(device);
        }
        Map<Integer, Value> places = versions.computeIfAbsent(version, key -> new HashMap<>());
        List<Source> parts = live.continued(version);
        if (!parts.isEmpty() && !places.containsKey(device)) {
            places.put(device, sum(parts, values(parts, device, step), version.tensor(), version.run().stage(), device,
                step));
        }
        Value made = made(version);
        return places.computeIfAbsent(device, key -> {
            Value copied = Value.made(made.role(), device, made.bytes());
            tasks.copy(made, copied, step, decided.ofWindow(version.run()));
            return copied;
        });
    }

    /** A version where its stage made it. */
    private Value made(Version version) {
        return versions.get(version).get(plan.stages().get(version.run().stage()).device());
    }
}
