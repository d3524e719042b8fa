package dev.slipstream.pipelines.plan;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A way to make plans. Implementations are records of their settings. Immutable; any thread may use it.
 */
public sealed interface Strategy permits Sequential, CfgSplit, AsyncDiff, Hybridiff, Cache,
    GuidanceSchedule, PipeFusion, Patches, Composed {
    /** So few that values of the step before do not do: 27 to 34 dB to the exact picture were measured. */
    int FEW_STEPS = 8;

    /** The strategies by name, for help texts. */
    List<String> NAMES =
        List.of("sequential", "cfg-split", "asyncdiff", "hybridiff", "cache", "guidance", "pipefusion", "patches");

    /**
     * Reads a strategy, as the command line and the library take it: {@code NAME[:KEY=VALUE,...]}, and several at once
     * with {@code +} between them.
     *
     * <pre>
     *   sequential
     *   cfg-split
     *   asyncdiff:n=2,warmup=1,length=5,tail=0,stride=1,form=reuse|paper,shift,cut=NAME,
     *     staleness=pipelined|reference
     *   hybridiff:start=12|decide=distance,lookback=12,threshold=0.0004,slip=0|1,latest=40,
     *     length=5,guidance=kept|none,cut=NAME
     *   patches:n=2,split=rows|columns,warmup=5,tail=0,norm=corrected|stale|separate|sync,portion=0.3,neighbours,
     *           segments=1,frozen,bessel
     *   cache:every=3,first=0|steps=0+2+5|magnitudes=1+0.98+…|calibrated|calibration=FILE,
     *     threshold=0.06,most=3,kept=0.2,decide=first-block,slip=0|1,
     *     part=inner|attention|self-attention|cross-attention|all,depth=1,
     *     form=replace|mean|residual|forecast|extrapolate,order=1,weight=0.5,warmup=3,tail=0,cut=NAME
     *   guidance:start=0,stop=1,every=1,first=0|steps=0+2+5,warmup=0,keep=difference|unconditional|frequencies|none,
     *     low=1.1,low-start=0.1,low-stop=0.9,high=1.1,high-start=0.7,high-stop=1,untold
     *   pipefusion:parts=2,patches=2,warmup=1
     * </pre>
     *
     * @throws PlanException naming what is not understood, and what there is
     */
    static Strategy parse(String text) {
        // Between two steps of a list there is a digit behind it.
        List<Strategy> parts = Stream.of(text.split("\\+(?! *[0-9.])", -1)).map(Strategy::one).toList();
        return parts.size() == 1 ? parts.getFirst() : new Composed(parts);
    }

    private static Strategy one(String text) {
        String[] parts = text.split(":", 2);
        String name = parts[0].strip();
        Map<String, String> settings = parts.length == 1 ? Map.of() : settings(parts[1], text);
        return switch (name) {
            case "sequential" -> without(settings, new Sequential());
            case "cfg-split" -> without(settings, new CfgSplit());
            case "asyncdiff" -> AsyncDiff.parse(new Settings(name, settings));
            case "hybridiff" -> Hybridiff.parse(new Settings(name, settings));
            case "patches" -> Patches.parse(new Settings(name, settings));
            case "cache" -> Cache.parse(new Settings(name, settings));
            case "guidance" -> GuidanceSchedule.parse(new Settings(name, settings));
            case "pipefusion" -> PipeFusion.parse(new Settings(name, settings));
            default -> throw new PlanException(
                "there is no plan '" + name + "'; there are " + String.join(", ", NAMES)
                    + "; auto, alone, is the one that is predicted to be the fastest");
        };
    }

    private static Strategy without(Map<String, String> settings, Strategy strategy) {
        if (!settings.isEmpty()) {
            throw new PlanException(strategy.spec() + " takes no settings, not " + settings.keySet());
        }
        return strategy;
    }

    private static Map<String, String> settings(String text, String whole) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : text.split(",", -1)) {
            String[] parts = setting.split("=", 2);
            String key = parts[0].strip();
            String value = parts.length == 2 ? parts[1].strip() : Settings.FLAGS.contains(key) ? "true" : "";
            if (key.isEmpty()) {
                throw new PlanException("in plan '" + whole + "' a setting is empty; write them like warmup=3,tail=1");
            }
            if (settings.put(key, value) != null) {
                throw new PlanException("in plan '" + whole + "' the setting " + key + " is given twice");
            }
        }
        return settings;
    }

    /**
     * This strategy and another at once, as {@code cfg-split+cache}: devices multiply, cuts cross each other, a stage
     * runs at the steps at which both let it, and a value is as old as the one that lets it be older says.
     *
     * @throws PlanException if they make no sense together
     */
    default Strategy with(Strategy other) {
        return new Composed(Stream.of(this, other)
            .flatMap(it -> it instanceof Composed composed ? composed.parts().stream() : Stream.of(it)).toList());
    }

    /**
     * With what was measured of a model, where it asks for that.
     *
     * @param known gives the rounds of a cache that asks
     */
    default Strategy calibrated(Function<Cache, Rounds> known) {
        return this;
    }

    /** How the denoiser must be cut for this many devices. */
    Cutting cutting(int devices);

    /** On how many devices it runs if nothing else is said. */
    int usualDevices();

    /** Whether the guidance branches run apart, so that stages see half of the guidance batch. */
    default boolean splitsGuidance() {
        return false;
    }

    /** Whether low frequencies of predictions are read by themselves, so that something has to make them. */
    default boolean partsFrequencies() {
        return false;
    }

    /** Whether it takes any number of devices; others run on as many as they usually do. */
    default boolean scales() {
        return false;
    }

    /** Whether it is decided while the loop runs which stages run. */
    default boolean decides() {
        return false;
    }

    /**
     * For forecasts, which cannot know what will be decided: the same with steps that are counted.
     *
     * @param every so many steps of those that are decided, what decides runs
     */
    default Strategy counted(int every) {
        return this;
    }

    /** Why another one cannot be put together with it; empty if it can, as far as this one knows. */
    default Optional<String> refusal(Strategy other) {
        return Optional.empty();
    }

    /** Which steps are synchronous; of plans that are exact, all. */
    default Cadence cadence() {
        return Cadence.SYNCHRONOUS;
    }

    /** What who asks for so many steps should know: with few, a plan that lives on their likeness has no room. */
    default List<String> warnings(int steps) {
        if (cadence().equals(Cadence.SYNCHRONOUS)) {
            return List.of();
        }
        String exact = "; for few steps take a plan that is exact: cfg-split where there is guidance, or sequential";
        if (cadence().window(steps) == 0) {
            return List.of("all " + steps + " steps of plan " + spec() + " are synchronous, so it draws what "
                + "sequential draws, and no sooner" + exact);
        }
        return steps > FEW_STEPS ? List.of() : List.of("with " + steps + " steps, neighbours have little in common, "
            + "and plan " + spec() + " changes the picture" + exact);
    }

    /**
     * What can be known before anything is cut.
     *
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    default void check(int devices, boolean guided) {
    }

    /**
     * Places the segments.
     *
     * @param segments in an order in which they can run; of as many components as {@link #cutting} says
     * @param prediction the tensor that the noise scheduler consumes
     * @param guided whether classifier-free guidance doubles the batch
     * @throws PlanException if the devices do not fit
     */
    Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided);

    /** The strategy and its settings, as {@link #parse} reads them. */
    String spec();

    /** How a denoiser is cut into components. */
    sealed interface Cutting {
        /** Not at all. */
        Cutting WHOLE = new Parts(1, Optional.empty());

        /** How many components there are. */
        int components();

        /**
         * Both cuts at once: each component of this one cut as the other says.
         *
         * @return with the components of this one one after another
         */
        default Cutting crossedBy(Cutting other) {
            return equals(WHOLE) ? other : other.equals(WHOLE) ? this : new Crossed(this, other);
        }

        /**
         * Parts of equal rank.
         *
         * @param name of a cut, in the model's {@code cuts.json} or {@link #CUTS}; empty for the best that is known
         * @param shells whether a part may lie around others if nothing else is said: its two halves take turns with
         *     them, which is no loss where each runs once a round
         */
        record Parts(int components, Optional<String> name, boolean shells) implements Cutting {
            /** Names of cuts that every network has; those in its {@code cuts.json} come before them. */
            public static final List<String> CUTS =
                List.of("best", "fastest", "lean", "chain", "published", "balanced");

            /** Parts that may lie around others. */
            public Parts(int components, Optional<String> name) {
                this(components, name, true);
            }
        }

        /**
         * The layers next to input and output, which are the first component, and the rest.
         *
         * @param depth how many layers, counted from the ends
         * @param measured whether the shell also makes {@link #ADDED}
         */
        record Shell(int depth, boolean measured) implements Cutting {
            /** The tensor that is what the first block adds to what enters it. */
            public static final String ADDED = "first_block_added";

            public Shell(int depth) {
                this(depth, false);
            }

            @Override
            public int components() {
                return 2;
            }
        }

        /**
         * Parts of the blocks of a transformer, each for the whole picture and for each of its patches. Components are
         * those of a part one after another, the one for the whole picture first; last come what makes the patches of
         * the latents and what puts those of the prediction together.
         *
         * @param patches at most; pictures with few rows have fewer
         */
        record Pipe(int parts, int patches) implements Cutting {
            @Override
            public int components() {
                return Math.addExact(Math.multiplyExact(parts, patches + 1), 2);
            }

            /** The component of a part for the whole picture. */
            public int whole(int part) {
                return part * (patches + 1);
            }

            /** The component of a part for a patch. */
            public int patch(int part, int patch) {
                return whole(part) + 1 + patch;
            }

            /** The component that makes the patches of the latents. */
            public int division() {
                return whole(parts);
            }

            /** The component that puts the patches of the prediction together. */
            public int assembly() {
                return whole(parts) + 1;
            }

            /** The part that a component is of. */
            public int part(int component) {
                return component / (patches + 1);
            }

            /** The patch that a component is for; negative where it is for the whole picture. */
            public int patch(int component) {
                return component % (patches + 1) - 1;
            }
        }

        /**
         * The whole network first; then a component a patch, which does as the strategy says; then the one that puts
         * what patches predict together.
         *
         * @param patches how many
         */
        record Patched(Patches strategy, int patches) implements Cutting {
            @Override
            public int components() {
                return patches + 2;
            }
        }

        /**
         * Modules of certain names, wherever they are, which are the second component, and all else.
         *
         * @param names last elements of module paths, such as {@code attn1}
         */
        record Modules(Set<String> names) implements Cutting {
            public Modules {
                names = Set.copyOf(names);
            }

            @Override
            public int components() {
                return 2;
            }
        }

        /** Each component of the first cut, cut as the second says. */
        record Crossed(Cutting first, Cutting second) implements Cutting {
            @Override
            public int components() {
                return Math.multiplyExact(first.components(), second.components());
            }
        }
    }
}
