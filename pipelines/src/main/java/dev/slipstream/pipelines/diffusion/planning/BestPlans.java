package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.pipelines.cost.DeviceRates.Basis;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.Partitioner;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Candidate;
import dev.slipstream.pipelines.diffusion.planning.Candidates.Subject;
import dev.slipstream.pipelines.diffusion.planning.KeptChoices.Kept;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Forecasts;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Site;
import dev.slipstream.pipelines.plan.Sequential;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * For each loop the plan that is predicted to be the fastest of those that draw well enough; never one that is
 * predicted slower than one device. What was chosen is kept, here and for other processes. A caller waits while another
 * thread chooses.
 */
public final class BestPlans implements LoopPlans {
    private static final Logger LOG = LoggerFactory.getLogger(BestPlans.class);

    /** All are kept in files, too. */
    private static final int MOST_KNOWN = 200;

    private final DenoiserGraph denoiser;
    private final Preference preference;
    private final Path model;
    private final int devices;
    private final Function<String, Site> sites;
    private final KeptChoices kept;
    private final Partitioner alone;
    private final Map<Candidate, Partitioner> partitioners = new HashMap<>();
    private final Map<Asked, Chosen> known = new HashMap<>();
    private Machine machine;

    /** @param fingerprint of the denoiser */
    private record Machine(String fingerprint, Site site) {
    }

    /**
     * @param model its folder or file, beside which may lie what was measured of plans' pictures
     * @param devices how many plans may run on
     * @param sites what is known of these, for a denoiser of this fingerprint; asked when it is needed
     */
    public BestPlans(DenoiserGraph denoiser, Path model, Preference preference, int devices,
        Function<String, Site> sites, KeptChoices kept) {
        this.denoiser = denoiser;
        this.model = model;
        this.preference = preference;
        this.devices = devices;
        this.sites = sites;
        this.kept = kept;
        this.alone = new Partitioner(denoiser, new Sequential(), 1);
    }

    @Override
    public void check(LoopShape shape) {
        alone.check(shape);
    }

    @Override
    public synchronized Chosen of(Asked asked) {
        Chosen before = known.get(asked);
        if (before != null) {
            return before;
        }
        List<Candidate> candidates = Candidates.usual(
            Subject.of(denoiser, asked.shape().guided(), asked.noise().steps()), devices);
        Loop loop = new Loop(alone.denoiser(asked.shape()), asked.shape(), asked.noise(), asked.guidance(),
            asked.rests());
        Function<String, OptionalDouble> quality = loop.quality(model);
        String key = key(asked, candidates, quality);
        Kept choice = kept.find(key, candidates).orElseGet(() -> {
            Kept made = choose(loop, asked.componentBytes(), candidates, quality);
            kept.keep(key, made);
            return made;
        });
        LOG.debug("{} steps of {}: {}", asked.noise().steps(), denoiser.name(), choice.reason());
        Chosen chosen = new Chosen(partitioners.computeIfAbsent(choice.candidate(), it ->
            new Partitioner(denoiser, it.strategy(), it.devices())), Optional.of(choice.reason()));
        if (known.size() == MOST_KNOWN) {
            known.clear();
        }
        known.put(asked, chosen);
        return chosen;
    }

    private Kept choose(Loop loop, long componentBytes, List<Candidate> candidates,
        Function<String, OptionalDouble> quality) {
        PlanEvaluator evaluator = new PlanEvaluator(loop, machine().site(), componentBytes, quality);
        Forecasts forecasts = evaluator.forecasts(candidates);
        if (forecasts.plans().stream().noneMatch(it -> it.devices() == 1)) {
            // What one device cannot run for the request's sake, none can; this says why.
            evaluator.forecast(candidates.getFirst());
        }
        if (forecasts.plans().stream().noneMatch(PlanForecast::fits)) {
            // Building will complain with the figures.
            return new Kept(new Candidate("sequential", devices),
                "sequential on all devices: no plan is predicted to fit their memory");
        }
        Choice choice = Choice.of(forecasts.plans(), preference);
        return new Kept(new Candidate(choice.taken().plan(), choice.taken().devices()), choice.reason()
            + (choice.taken().basis() == Basis.MEASURED ? "; by a profile of these devices"
                : "; by estimates, which slipstream profile replaces"));
    }

    private Machine machine() {
        if (machine == null) {
            String fingerprint = Fingerprint.of(denoiser);
            machine = new Machine(fingerprint, sites.apply(fingerprint));
        }
        return machine;
    }

    /** All that the choice depends on. */
    private String key(Asked asked, List<Candidate> candidates, Function<String, OptionalDouble> quality) {
        LoopShape shape = asked.shape();
        Map<String, TreeSet<Integer>> rests = new TreeMap<>();
        asked.rests().forEach((module, steps) -> rests.put(module, new TreeSet<>(steps)));
        return Fingerprint.of(machine().fingerprint(), machine().site().toString(),
            preference + " " + preference.mostAge() + " " + preference.leastDecibels(), candidates.toString(),
            candidates.stream().map(it -> quality.apply(it.strategy().spec())).toList().toString(),
            shape.latents().toString(),
            shape.extraChannels() + " " + shape.guided(), new TreeMap<>(shape.conditions()).toString(),
            asked.noise().name() + " " + asked.noise().steps() + " " + asked.noise().limit().isPresent(),
            asked.guidance().toString(), rests.toString(), Long.toString(asked.componentBytes()));
    }
}
