package dev.slipstream.samples.reference;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.plan.AsyncDiff.Staleness;
import dev.slipstream.pipelines.plan.AsyncDiff;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.Cadence;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.GuidanceSchedule;
import dev.slipstream.pipelines.plan.Patches.Norm;
import dev.slipstream.pipelines.plan.Patches;
import dev.slipstream.pipelines.plan.PipeFusion;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One case: a plan, and the key of its expected latents.
 *
 * @param name key of the latents in {@code expected.safetensors}
 * @param scheduler NAME of the folder {@code scheduler-NAME}
 * @param components into how many parts of equal rank the denoiser is cut; 1 for the sequential case
 * @param devices as many as the published implementation has processes
 * @param inputs the file of what its loop reads, if it names one
 * @param computed where the loop decides when a part runs: at which steps it did, a list for each decision
 */
public record ReferenceCase(String name, String scheduler, Strategy strategy, int components, int devices,
    Optional<String> inputs, List<List<Integer>> computed) {
    static final String SEQUENTIAL = ".sequential";
    /** More than any case has: all of its steps are synchronous. */
    private static final int ALL_STEPS = 10_000;

    /** A case that reads the folder's inputs. */
    ReferenceCase(String name, String scheduler, Strategy strategy, int components, int devices) {
        this(name, scheduler, strategy, components, devices, Optional.empty(), List.of());
    }

    /** The case that every folder has for each noise scheduler, whether listed or not. */
    static ReferenceCase sequential(String name) {
        return sequential(name, name.substring(0, name.length() - SEQUENTIAL.length()));
    }

    private static ReferenceCase sequential(String name, String scheduler) {
        return new ReferenceCase(name, scheduler, new Sequential(), 1, 1);
    }

    /** The name of an entry of {@code cases.json}. */
    static String name(ConfigFile entry) {
        return entry.text("expected").orElseThrow(() -> entry.wrong("expected", "is missing in a case"));
    }

    /** Why an entry cannot be run, though nothing is wrong with it: it is of a kind that is not known. */
    static Optional<String> problem(ConfigFile entry) {
        return entry.object("cache").flatMap(cache -> cache.text("kind"))
            .filter(kind -> !PublishedCache.KINDS.containsKey(kind)).map(PublishedCache::unknown);
    }

    /**
     * Reads an entry of {@code cases.json}; one without {@code model_n} is sequential.
     *
     * @throws dev.slipstream.pipelines.model.ModelException naming the file and the setting
     */
    static ReferenceCase read(ConfigFile entry, Function<String, List<Double>> timesteps) {
        String name = name(entry);
        String scheduler = entry.text("scheduler")
            .orElseThrow(() -> entry.wrong("scheduler", "is missing in case " + name));
        Optional<ConfigFile> cache = entry.object("cache");
        if (cache.isPresent()) {
            Strategy strategy = PublishedCache.strategy(cache.get(), name, timesteps.apply(scheduler));
            return new ReferenceCase(name, scheduler, strategy, 1, strategy.usualDevices(), Optional.empty(),
                strategy.decides() ? computed(entry) : List.of());
        }
        if (entry.has("mode")) {
            return new ReferenceCase(name, scheduler, patches(entry, name), 1,
                entry.positiveInteger("devices"), entry.text("inputs"), List.of());
        }
        if (entry.has("stages")) {
            return pipelined(entry, name, scheduler);
        }
        if (!entry.has("model_n")) {
            return sequential(name, scheduler);
        }
        int components = entry.positiveInteger("model_n");
        int stride = entry.positiveInteger("stride", 1);
        boolean released = stride == 1 || isReleased(entry, name);
        try {
            Cadence cadence = new Cadence(entry.positiveInteger("warm_up"), 0, stride, released,
                is(entry, "time_shift", name));
            return new ReferenceCase(name, scheduler,
                new AsyncDiff(components, cadence, Staleness.REFERENCE, Optional.empty()), components,
                released ? components : components + 1);
        } catch (PlanException refused) {
            throw entry.wrong("cases", "has a case " + name + " that cannot be run: " + refused.getMessage());
        }
    }

    /** Of the whole batch, or of the unconditional branch and the conditional one. */
    private static List<List<Integer>> computed(ConfigFile entry) {
        return Stream.of(Optional.of(entry), entry.object("uncond"), entry.object("cond")).flatMap(Optional::stream)
            .filter(branch -> branch.has("computed_steps"))
            .map(branch -> branch.list("computed_steps").stream().map(JsonElement::getAsInt).toList()).toList();
    }

    /** Patches that go through stages, with or without a pipeline for each guidance branch. */
    private static ReferenceCase pipelined(ConfigFile entry, String name, String scheduler) {
        int stages = entry.positiveInteger("stages");
        try {
            Strategy pipe = new PipeFusion(stages, entry.positiveInteger("patches"), entry.positiveInteger("warm_up"));
            return entry.flag("cfg_parallel", false)
                ? new ReferenceCase(name, scheduler, new CfgSplit().with(pipe), 1, 2 * stages)
                : new ReferenceCase(name, scheduler, pipe, 1, stages);
        } catch (PlanException refused) {
            throw entry.wrong("cases", "has a case " + name + " that cannot be run: " + refused.getMessage());
        }
    }

    /** The strategy that does what the published DistriFusion or PCPP does. */
    private static Strategy patches(ConfigFile entry, String name) {
        String mode = entry.text("mode").orElseThrow(() -> entry.wrong("mode", "is missing in case " + name));
        // There the first step comes before the warm-up.
        int warmUp = (int) entry.number("warm_up", 0) + 1;
        OptionalDouble portion = entry.has("portion") ? OptionalDouble.of(entry.number("portion", 1))
            : OptionalDouble.empty();
        boolean bessel = is(entry, "bessel", name);
        Norm norm = switch (mode) {
            case "corrected_async_gn", "full_sync" -> Norm.CORRECTED;
            case "stale_gn" -> Norm.STALE;
            case "separate_gn", "no_sync" -> Norm.SEPARATE;
            case "sync_gn" -> Norm.SYNC;
            default -> throw entry.wrong("mode", "is " + mode + " in case " + name + "; there are corrected_async_gn, "
                + "stale_gn, separate_gn, sync_gn, no_sync and full_sync");
        };
        try {
            Patches patches = new Patches(entry.positiveInteger("patches"), false,
                mode.equals("full_sync") ? ALL_STEPS : warmUp, 0, norm, portion, bessel, mode.equals("no_sync"), 1);
            return is(entry, "cfg_split", name) ? new CfgSplit().with(patches) : patches;
        } catch (PlanException refused) {
            throw entry.wrong("cases", "has a case " + name + " that cannot be run: " + refused.getMessage());
        }
    }

    private static boolean isReleased(ConfigFile entry, String name) {
        String form = entry.text("stride2_form")
            .orElseThrow(() -> entry.wrong("stride2_form", "is missing in case " + name + ", which has stride 2"));
        return switch (form) {
            case "released" -> true;
            case "paper" -> false;
            default -> throw entry.wrong("stride2_form",
                "must be released or paper, not " + form + " (case " + name + ")");
        };
    }

    private static boolean is(ConfigFile entry, String key, String name) {
        return entry.element(key).map(value -> {
            if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
                throw entry.wrong(key, "must be true or false, not " + value + " (case " + name + ")");
            }
            return value.getAsBoolean();
        }).orElse(false);
    }

    /** The strategies that do what published caches do, from the settings of a case. */
    private static final class PublishedCache {
        private static final SortedMap<String, Function<PublishedCache, Strategy>> KINDS = new TreeMap<>(Map.of(
            "attention_broadcast", PublishedCache::broadcast, "deepcache", PublishedCache::deepCache,
            "faster_cache", PublishedCache::fasterCache, "first_block", PublishedCache::firstBlock,
            "guidance_interval", PublishedCache::interval,
            "magcache", PublishedCache::magCache, "taylor", PublishedCache::taylor, "tgate", PublishedCache::gate,
            "uncond_reuse", PublishedCache::unconditional));

        private final ConfigFile setting;
        private final String name;
        private final List<Double> timesteps;

        private PublishedCache(ConfigFile setting, String name, List<Double> timesteps) {
            this.setting = setting;
            this.name = name;
            this.timesteps = timesteps;
        }

        /** @throws dev.slipstream.pipelines.model.ModelException naming the file and what is not known */
        static Strategy strategy(ConfigFile setting, String name, List<Double> timesteps) {
            return new PublishedCache(setting, name, timesteps).strategy();
        }

        private Strategy strategy() {
            String kind = setting.text("kind").orElseThrow(() -> setting.wrong("kind", "is missing in case " + name));
            if (!KINDS.containsKey(kind)) {
                throw setting.wrong("kind", "is " + unknown(kind) + " (case " + name + ")");
            }
            return KINDS.get(kind).apply(this);
        }

        private static String unknown(String kind) {
            return kind + ", which cannot be compared yet; there are " + String.join(", ", KINDS.keySet());
        }

        private Strategy interval() {
            return GuidanceSchedule.ALWAYS.within(setting.number("start", 0), setting.number("stop", 1));
        }

        private Strategy deepCache() {
            Rounds rounds = setting.has("full_steps")
                ? new Rounds.At(new TreeSet<>(setting.list("full_steps").stream().map(JsonElement::getAsInt)
                    .toList()))
                : new Rounds.Every(setting.positiveInteger("interval"));
            return Cache.usual().with(rounds).withDepth((int) setting.number("branch", 0)).withWarmUp(1);
        }

        private Strategy magCache() {
            return Cache.usual().withDepth(0).withWarmUp(1).with(new Rounds.Magnitudes(
                setting.list("mag_ratios").stream().map(JsonElement::getAsDouble).toList(),
                setting.number("threshold", 0), setting.positiveInteger("max_skip_steps"),
                setting.number("retention_ratio", 0)));
        }

        private Strategy firstBlock() {
            Cache cache = Cache.usual().withWarmUp(1).decidedBy(setting.number("threshold", 0), 0);
            String state = setting.text("state").orElse("");
            return state.startsWith("one per branch") ? new CfgSplit().with(cache) : cache;
        }

        private Strategy broadcast() {
            Optional<Strategy> spatial = broadcast("spatial", Cache.Part.SELF_ATTENTION);
            Optional<Strategy> cross = broadcast("cross", Cache.Part.CROSS_ATTENTION);
            return Stream.of(spatial, cross).flatMap(Optional::stream).reduce(Strategy::with)
                .orElseThrow(() -> setting.wrong("kind", "is attention_broadcast, but neither "
                    + "spatial_attention_block_skip_range nor that of cross is given in case " + name));
        }

        private Optional<Strategy> broadcast(String kind, Cache.Part part) {
            String interval = kind + "_attention_block_skip_range";
            if (!setting.has(interval)) {
                return Optional.empty();
            }
            int every = setting.positiveInteger(interval);
            List<Double> range = setting.list(kind + "_attention_timestep_skip_range").stream()
                .map(JsonElement::getAsDouble).toList();
            double from = range.isEmpty() ? 100 : range.getFirst();
            double to = range.isEmpty() ? 800 : range.getLast();
            return Optional.of(Cache.usual().of(part).withWarmUp(1).with(at(step -> step % every == 0
                || !(from < timesteps.get(step) && timesteps.get(step) < to))));
        }

        private Strategy taylor() {
            int warmUp = setting.positiveInteger("disable_cache_before_step");
            int steps = timesteps.size();
            int end = (int) setting.number("disable_cache_after_step", steps);
            return Cache.usual()
                .of(setting.flag("use_lite_mode", false) ? Cache.Part.ALL : Cache.Part.ATTENTION)
                .withOrder(setting.positiveInteger("max_order")).withWarmUp(warmUp).withTail(Math.max(0, steps - end))
                .with(new Rounds.Every(setting.positiveInteger("cache_interval"), warmUp + 1));
        }

        private Strategy gate() {
            int gate = setting.positiveInteger("gate_step");
            int warmUp = (int) setting.number("warm_up", 0);
            int before = setting.positiveInteger("sp_interval");
            int behind = setting.positiveInteger("fi_interval");
            Cache self = rests(Cache.Part.SELF_ATTENTION, step -> step <= warmUp || step == gate - 1
                || step % (step < gate ? before : behind) == 0);
            // Half a step more, so that no rounding ends guidance a step early.
            GuidanceSchedule guidance = GuidanceSchedule.ALWAYS.within(0, (gate + 0.5) / timesteps.size());
            boolean untold = setting.text("row_after_gate").equals(Optional.of("unconditional"));
            return self.with(rests(Cache.Part.CROSS_ATTENTION, step -> step < gate))
                .with(untold ? guidance.asUntold() : guidance);
        }

        private Strategy fasterCache() {
            int every = setting.positiveInteger("spatial_attention_block_skip_range");
            int unconditional = setting.positiveInteger("unconditional_batch_skip_range");
            List<Integer> attention = within("spatial_attention_timestep_skip_range");
            List<Integer> text = within("unconditional_batch_timestep_skip_range");
            Cache cache = Cache.usual().of(Cache.Part.SELF_ATTENTION).withWarmUp(1)
                .withWeight(setting.number("attention_weight", 1))
                .with(at(step -> step % every == 0 || !attention.contains(step)));
            return cache.with(GuidanceSchedule.ALWAYS
                .with(at(step -> step % unconditional == 0 || !text.contains(step)))
                .growing(growth("low"), growth("high")));
        }

        private GuidanceSchedule.Growth growth(String frequencies) {
            List<Integer> range = within(frequencies + "_frequency_weight_update_timestep_range");
            // Half a step more, so that no rounding begins or ends it a step early.
            double steps = timesteps.size();
            return new GuidanceSchedule.Growth(setting.number("alpha_" + frequencies + "_frequency", 1),
                range.isEmpty() ? 0 : (range.getFirst() + 0.5) / steps,
                range.isEmpty() ? 0 : Math.min(1, (range.getLast() + 1.5) / steps));
        }

        /** The steps whose timesteps lie within a range, without its ends. */
        private List<Integer> within(String range) {
            List<Double> ends = setting.list(range).stream().map(JsonElement::getAsDouble).toList();
            if (ends.size() != 2) {
                throw setting.wrong(range, "is not a range of timesteps in case " + name);
            }
            return IntStream.range(0, timesteps.size()).filter(step -> ends.getFirst() < timesteps.get(step)
                && timesteps.get(step) < ends.getLast()).boxed().toList();
        }

        private Rounds at(IntPredicate steps) {
            return new Rounds.At(new TreeSet<>(IntStream.range(0, timesteps.size()).filter(steps).boxed().toList()));
        }

        /** @param runs at which steps */
        private Cache rests(Cache.Part part, IntPredicate runs) {
            return Cache.usual().of(part).withWarmUp(1).with(Cache.FormName.MEAN).with(at(runs));
        }

        private Strategy unconditional() {
            String kept = setting.text("keeps").orElse("");
            return new GuidanceSchedule(0, 1, setting.positiveInteger("every"), (int) setting.number("from_step", 0),
                switch (kept) {
                    case "uncond" -> GuidanceSchedule.Kept.UNCONDITIONAL;
                    case "difference" -> GuidanceSchedule.Kept.DIFFERENCE;
                    default -> throw setting.wrong("keeps", "is uncond or difference, not " + kept + " (case " + name
                        + ")");
                });
        }
    }
}
