package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.GeneratedImage.Refinement;
import dev.slipstream.pipelines.diffusion.component.ImageEncoder;
import dev.slipstream.pipelines.diffusion.component.LatentsDecoder;
import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.family.PictureInputs;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.SeededNoise;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.run.BadValueException;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;

/**
 * A model's part of the pictures of a request: all steps, or those that it has where several models share them. Its
 * engines are built before. One thread.
 */
final class DenoisingPass {
    private final ResolvedRequest request;
    private final RequestEngines engines;
    private final Map<String, MemorySegment> given;
    private IntConsumer follower = steps -> {
    };
    private long endedAt;

    /**
     * Makes what the loop is given, but for latents of another model.
     *
     * @param arena where that lives
     */
    DenoisingPass(ResolvedRequest request, RequestEngines engines, Arena arena) {
        this.request = request;
        this.engines = engines;
        this.given = new Tensors(request, arena).make(engines);
    }

    private DenoisingPass(ResolvedRequest request, RequestEngines engines, Map<String, MemorySegment> given) {
        this.request = request;
        this.engines = engines;
        this.given = given;
    }

    /**
     * The rest of it, with what was made for the whole.
     *
     * @param rest see {@link ResolvedRequest#from}
     * @param latents before its first step
     */
    DenoisingPass from(ResolvedRequest rest, RequestEngines others, MemorySegment latents) {
        Map<String, MemorySegment> left = new LinkedHashMap<>(given);
        left.put(Program.LATENTS, latents);
        long bytes = request.latents().bytes();
        left.computeIfPresent(Program.NOISE, (name, all) -> all.asSlice(
            (rest.stepsBefore() - request.stepsBefore()) * bytes, rest.noise().steps() * bytes));
        return new DenoisingPass(rest, others, left);
    }

    /** The rest of it onto finished latents, with its own noise, as image to image. @param arena where that lives */
    DenoisingPass onto(ResolvedRequest rest, RequestEngines others, MemorySegment finished, Arena arena) {
        return from(rest, others,
            new SeededNoise(rest.seed(), rest.latents(), arena).onto(rest.noise().start(), finished));
    }

    ResolvedRequest request() {
        return request;
    }

    /** What the loop is given, by name. */
    Map<String, MemorySegment> given() {
        return given;
    }

    Program program() {
        return engines.loop().program();
    }

    /** Copies the latents after a step of the last run, which were kept. @param step of its loop, from 0 */
    void latents(int step, MemorySegment to) {
        engines.loop().latents(step, to);
    }

    int steps() {
        return request.noise().steps();
    }

    /** Bytes that went from one device to another in the last run. */
    long copiedBytes() {
        return engines.loop().program().copiedBytes(engines.loop()::ran);
    }

    /** The steps of the last run at which stages rested as it decided, by stage. */
    Map<String, List<Integer>> rested() {
        Map<String, List<Integer>> rested = new LinkedHashMap<>();
        engines.loop().outcomes().forEach((stage, outcomes) -> rested.put(stage,
            outcomes.stream().filter(outcome -> !outcome.runs()).map(Decision.Outcome::step).toList()));
        if (rested.remove(Decision.WINDOW) != null) {
            Plan plan = request.denoiser().plan();
            List<Integer> window = window();
            List<Integer> others = IntStream.range(0, steps()).boxed().filter(step -> !window.contains(step)).toList();
            for (int stage = 0; stage < plan.stages().size(); stage++) {
                if (plan.stages().get(stage).rounds() instanceof Rounds.Window(var rule, boolean inside)) {
                    rested.put(plan.label(stage), inside ? others : window);
                }
            }
        }
        return rested;
    }

    /** The steps of the last run that lay in its window, if it decided that. */
    List<Integer> window() {
        return engines.loop().outcomes().getOrDefault(Decision.WINDOW, List.of()).stream()
            .filter(Decision.Outcome::runs).map(Decision.Outcome::step).toList();
    }

    /** What ran when in the last run, if the loop is traced. */
    Timeline timeline() {
        return engines.loop().timeline().named(request.denoiser().plan().labels());
    }

    /** Who is told after each step how many are done of the whole picture. */
    void follow(IntConsumer stepsDone) {
        follower = stepsDone;
    }

    /** When the last run ended, by {@link System#nanoTime}. */
    long endedAt() {
        return endedAt;
    }

    /** What a picture says of it, where another model was before. */
    Refinement asRefiner() {
        return new Refinement(request.model().folder().name(), request.span().start(), request.noise().name(),
            request.denoiser().plan(), steps());
    }

    /**
     * Takes the steps.
     *
     * @param latents those that the model before has left, if there is one, as its noise scheduler scales them; then
     *     those after the last step
     * @param all steps of the whole picture
     * @param decoder for previews
     */
    void run(MemorySegment latents, int all, RunningRequest<?> generation, LatentsDecoder decoder) {
        if (!request.span().isFirst()) {
            given.put(Program.LATENTS, latents);
        }
        StepRun recorded = FlightRecorder.isInitialized() ? new StepRun() : null;
        if (recorded != null) {
            recorded.begin();
        }
        engines.loop().run(given, new LoopObserver() {
            @Override
            public void stepDone(int step, int steps) {
                if (recorded != null) {
                    recorded.tell(request.stepsBefore() + step + 1, all);
                }
                follower.accept(request.stepsBefore() + step + 1);
                if (generation.feed().hasListeners()) {
                    generation.feed().tell(new Progress(request.stepsBefore() + step + 1, all,
                        previews(step, latents, decoder)));
                }
            }

            @Override
            public boolean isCancelled() {
                return generation.isCancelled();
            }
        });
        endedAt = System.nanoTime();
        engines.loop().latents(steps() - 1, latents);
        requireFinite(latents);
    }

    private void requireFinite(MemorySegment latents) {
        LongStream.range(0, latents.byteSize() / Float.BYTES)
            .filter(i -> !Float.isFinite(latents.getAtIndex(ValueLayout.JAVA_FLOAT, i))).findFirst().ifPresent(i -> {
                throw new BadValueException("the denoiser left latents that are NaN or infinite after its " + steps()
                    + " steps; --guard names the first segment, device and step, and a higher --precision may cure it");
            });
    }

    /** For JDK Flight Recorder. Steps overlap on several devices; a step is what lies between two that are done. */
    @Name("dev.slipstream.Step")
    @Label("Denoising Step")
    @Category("Slipstream")
    @Description("From the end of the step before to the end of this one")
    private static final class StepRun extends Event {
        @Label("Step")
        @Description("1 for the first")
        private int step;

        @Label("Steps")
        private int steps;

        /** Ends a step, and begins the next. */
        private void tell(int number, int all) {
            end();
            if (shouldCommit()) {
                step = number;
                steps = all;
                commit();
            }
            begin();
        }
    }

    private List<Image> previews(int step, MemorySegment latents, LatentsDecoder decoder) {
        if (!engines.loop().program().estimates().containsKey(step)) {
            return List.of();
        }
        // Latents of the model before have been read by now.
        engines.loop().estimate(step, latents);
        return decoder.decode(latents, request.latents().shape()).stream().map(request::finished).toList();
    }

    /** Makes what the loop is given. The tensors live as long as the arena. */
    private static final class Tensors {
        private final ResolvedRequest request;
        private final NoiseTable noise;
        private final TensorType latents;
        private final SeededNoise seeded;
        private final Arena arena;
        private final Map<String, MemorySegment> given = new LinkedHashMap<>();

        private Tensors(ResolvedRequest request, Arena arena) {
            this.request = request;
            this.noise = request.noise();
            this.latents = request.latents();
            this.arena = arena;
            this.seeded = new SeededNoise(request.seed(), latents, arena);
        }

        /**
         * All tensors; where another model begins, the caller adds the latents.
         */
        Map<String, MemorySegment> make(RequestEngines engines) {
            engines.text().encode(request.prompts(), arena).forEach(this::condition);
            request.told().forEach(this::condition);
            request.steering().bothRows(engines.pictureEncoder())
                .forEach((name, rows) -> condition(name, aligned(rows)));
            PictureInputs inputs = request.pictureInputs(seeded.image(), engines);
            request.model().recipe().show(inputs).forEach(this::condition);
            if (request.span().isFirst()) {
                given.put(Program.LATENTS, seeded.latents(request.start().noise()));
            }
            if (noise.needsNoise()) {
                given.put(Program.NOISE, seeded.steps(request.stepsBefore(), noise.steps()));
            }
            if (request.startsFromPicture()) {
                startFrom(request.start(), engines.pictureEncoder().orElseThrow());
            }
            request.model().recipe().extraChannels(inputs)
                .ifPresent(channels -> given.put(Program.EXTRA_CHANNELS, aligned(channels)));
            return given;
        }

        /**
         * Repeats the row of each prompt for every picture, the unconditional ones first. Where nothing is predicted
         * unconditionally, only the second row is wanted.
         */
        private void condition(String name, MemorySegment both) {
            long row = both.byteSize() / 2;
            MemorySegment wanted = request.isGuided() ? both : both.asSlice(row);
            long pictures = request.batch();
            MemorySegment rows = arena.allocate(wanted.byteSize() * pictures, 64);
            for (long index = 0; index < rows.byteSize() / row; index++) {
                MemorySegment.copy(wanted, index / pictures * row, rows, index * row, row);
            }
            given.put(name, rows);
        }

        private void condition(String name, ConditionValues values) {
            condition(name, bothRows(values.type(request.model().denoiser().conditionType(name)), values));
        }

        private MemorySegment bothRows(TensorType type, ConditionValues numbers) {
            MemorySegment rows = arena.allocate(type.bytes(), 64);
            int each = numbers.conditional().length;
            for (int i = 0; i < 2 * each; i++) {
                double number = i < each ? numbers.unconditional()[i] : numbers.conditional()[i - each];
                switch (type.type()) {
                    case FLOAT32 -> rows.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) number);
                    case FLOAT16 -> rows.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) number));
                    case INT64 -> rows.setAtIndex(ValueLayout.JAVA_LONG, i, (long) number);
                    case INT32 -> rows.setAtIndex(ValueLayout.JAVA_INT, i, (int) number);
                    default -> throw new IllegalStateException("a condition of type " + type + " cannot be written");
                }
            }
            return rows;
        }

        private void startFrom(Mix start, ImageEncoder encoder) {
            if (start.image() == 0 && !request.repaints()) {
                return;
            }
            float[] clean = encoder.encode(Planes.of(request.picture().image()), seeded.image(), 0);
            if (start.image() != 0) {
                given.put(Program.LATENTS, seeded.onto(start, aligned(clean)));
            }
            request.mask().ifPresent(mask -> {
                MemorySegment unit = seeded.latents(1);
                given.put(Program.KNOWN_IMAGE, known(mask, i -> clean[i]));
                given.put(Program.KNOWN_NOISE, known(mask, i -> unit.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
                if (noise.needsNoise()) {
                    drawnOnly(mask, Objects.requireNonNull(given.get(Program.NOISE)));
                }
            });
        }

        private MemorySegment known(RepaintMask mask, IntToDoubleFunction value) {
            MemorySegment known = arena.allocate(latents.bytes(), 64);
            for (int i = 0; i < latents.shape().elements(); i++) {
                known.setAtIndex(ValueLayout.JAVA_FLOAT, i, (1 - mask.at(i)) * (float) value.applyAsDouble(i));
            }
            return known;
        }

        private static void drawnOnly(RepaintMask mask, MemorySegment steps) {
            for (long i = 0; i < steps.byteSize() / Float.BYTES; i++) {
                steps.setAtIndex(ValueLayout.JAVA_FLOAT, i, mask.at(i) * steps.getAtIndex(ValueLayout.JAVA_FLOAT, i));
            }
        }

        private MemorySegment aligned(float[] numbers) {
            MemorySegment segment = arena.allocate((long) numbers.length * Float.BYTES, 64);
            MemorySegment.copy(numbers, 0, segment, ValueLayout.JAVA_FLOAT, 0, numbers.length);
            return segment;
        }
    }
}
