package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.cost.DeviceTimes;
import dev.slipstream.pipelines.diffusion.calibration.QualityTable;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.SizedDenoiser;
import dev.slipstream.pipelines.diffusion.denoise.StageCosts;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.simulate.Forecast;
import dev.slipstream.pipelines.run.simulate.Interconnect;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.unroll.Staleness;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.lang.ref.SoftReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Works out what plans take for one loop: cuts the denoiser, unrolls the plan and runs it in virtual time. Nothing is
 * opened or built. Any thread may use it.
 */
public final class PlanEvaluator {
    /**
     * The loop that plans are for.
     *
     * @param shape of the request
     * @param rests by modules that are joined with the denoiser the steps at which they do not run
     */
    public record Loop(DenoiserGraph denoiser, LoopShape shape, NoiseTable noise, Guidance guidance,
        Map<String, Set<Integer>> rests) {
        /** All modules run at every step. */
        public Loop(DenoiserGraph denoiser, LoopShape shape, NoiseTable noise, Guidance guidance) {
            this(denoiser, shape, noise, guidance, Map.of());
        }

        /**
         * The likeness of plans' pictures to the exact ones in this loop, in decibels by their strategies, as far as
         * it was measured of a model ({@code slipstream bench --save}).
         *
         * @param model its folder or file
         * @throws dev.slipstream.pipelines.model.ModelException if the table is damaged or of another denoiser
         */
        public Function<String, OptionalDouble> quality(Path model) {
            return QualityTable.of(model, denoiser).decibels(setting());
        }

        /** What likeness depends on beside the plan. */
        public QualityTable.Setting setting() {
            return QualityTable.Setting.of(denoiser, shape, noise, guidance);
        }
    }

    /**
     * The devices that there are.
     *
     * @param times one a device, in the order in which plans take them
     * @param forms in which they are given graphs
     * @param options of programs for several of them
     * @param hostNanos what the host takes to queue an instruction
     */
    public record Site(List<DeviceTimes> times, List<DeviceForm> forms, Interconnect interconnect,
        UnrollOptions options, long hostNanos) {
        public Site {
            times = List.copyOf(times);
            forms = List.copyOf(forms);
        }
    }

    private final Loop loop;
    private final Site site;
    private final long componentBytes;
    private final Function<String, OptionalDouble> quality;
    private final SizedDenoiser sized;
    private final StageCosts.Runs runs = new StageCosts.Runs();
    /** Of what was forecast, as long as there is room: that of the plan that is taken is wanted again. */
    private final Map<Candidate, SoftReference<Timeline>> timelines = new ConcurrentHashMap<>();

    /**
     * @param componentBytes of the model's other parts, on the first device
     * @param quality what was measured of the likeness of a plan's pictures, by the plan's spec
     */
    public PlanEvaluator(Loop loop, Site site, long componentBytes, Function<String, OptionalDouble> quality) {
        this.loop = loop;
        this.site = site;
        this.componentBytes = componentBytes;
        this.quality = quality;
        this.sized = new SizedDenoiser(loop.denoiser(), loop.shape());
    }

    /**
     * What plans take of those that suit the network.
     *
     * @param plans in the order of the candidates
     * @param refused why others do not suit it, by their specs
     */
    public record Forecasts(List<PlanForecast> plans, Map<String, String> refused) {
    }

    /** Looks at all of them, on all cores. */
    public Forecasts forecasts(List<Candidate> candidates) {
        Map<String, String> refused = new ConcurrentSkipListMap<>();
        List<PlanForecast> plans = candidates.parallelStream().flatMap(candidate -> {
            try {
                return Stream.of(forecast(candidate));
            } catch (PlanException | GraphException unsuitable) {
                refused.put(candidate.spec(), String.valueOf(unsuitable.getMessage()));
                return Stream.empty();
            }
        }).toList();
        return new Forecasts(plans, refused);
    }

    /** @throws RuntimeException as {@link PartitionedDenoiser#of}: not every plan suits every network */
    public PlanForecast forecast(Candidate candidate) {
        PartitionedDenoiser partitioned = partitioned(candidate);
        Program program = program(partitioned);
        StageCosts costs = new StageCosts(partitioned, site.times(), runs);
        Forecast forecast = Simulator.simulate(program, machine(partitioned, costs));
        timelines.put(candidate, new SoftReference<>(forecast.timeline()));
        List<Long> memory = new ArrayList<>();
        List<Long> room = new ArrayList<>();
        for (int device = 0; device < candidate.devices(); device++) {
            memory.add(forecast.memory().get(device).bytes());
            room.add(site.times().get(device).memoryBytes());
        }
        return new PlanForecast(candidate.spec(), candidate.devices(), forecast.latencyNanos(),
            forecast.timeline().utilisation(), memory, room, program.copiedBytes(), staleness(candidate, partitioned),
            quality.apply(partitioned.plan().strategy()), basis(candidate.devices()),
            candidate.strategy().decides());
    }

    /** What would run where and when. @throws RuntimeException as {@link #forecast} */
    public Timeline timeline(Candidate candidate) {
        SoftReference<Timeline> kept = timelines.get(candidate);
        Timeline known = kept == null ? null : kept.get();
        return known == null ? simulated(candidate) : known;
    }

    private Timeline simulated(Candidate candidate) {
        PartitionedDenoiser partitioned = partitioned(candidate);
        return Simulator.simulate(program(partitioned),
            machine(partitioned, new StageCosts(partitioned, site.times(), runs))).timeline();
    }

    private PartitionedDenoiser partitioned(Candidate candidate) {
        return PartitionedDenoiser.of(sized, candidate.strategy(), candidate.devices());
    }

    private Program program(PartitionedDenoiser partitioned) {
        return partitioned.program(loop.noise(), loop.guidance(), KeptLatents.LAST, Estimates.NONE, loop.rests(),
            partitioned.plan().devices() > 1 ? site.options() : UnrollOptions.PLAIN);
    }

    /** Of what is decided in the loop it is that of the steps that are assumed. */
    private Staleness staleness(Candidate candidate, PartitionedDenoiser partitioned) {
        PartitionedDenoiser counted = candidate.strategy().decides() ? PartitionedDenoiser.of(sized,
            candidate.strategy().counted(Rounds.Rule.Above.EXPECTED_INTERVAL), candidate.devices()) : partitioned;
        return Staleness.of(counted.plan(), loop.noise().steps(), new StageCosts(counted, site.times(), runs)::nanos);
    }

    private Basis basis(int devices) {
        return site.times().subList(0, devices).stream().allMatch(times -> times.basis() == Basis.MEASURED)
            ? Basis.MEASURED : Basis.ESTIMATED;
    }

    private Machine machine(PartitionedDenoiser partitioned, StageCosts costs) {
        List<Machine.Device> devices = IntStream.range(0, partitioned.plan().devices()).mapToObj(device ->
            new Machine.Device(site.times().get(device).device(), partitioned.weightBytes(device, site.forms())
                + partitioned.workBytes(device, site.forms().get(device)) + (device == 0 ? componentBytes : 0)))
            .toList();
        return new Machine(devices, costs, site.interconnect(),
            Machine.Host.of(site.hostNanos()));
    }
}
